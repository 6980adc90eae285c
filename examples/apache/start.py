"""Apache with mod_auth_openidc in the foreground, in front of UPSTREAM; without one, in front of a sample made here."""

import html
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote


class SiteThatCannotBeChanged(BaseHTTPRequestHandler):
    """Knows nothing of logins; it reads the two headers that Apache adds."""

    def do_GET(self):
        name, sub = unquote(self.headers["X-Remote-Name"]), self.headers["X-Remote-User"]
        page = f"""<meta charset="utf-8"><p>Hello {html.escape(name)}, you are {html.escape(sub)}.</p>
            <a id="logout" href="/callback?logout={quote(os.environ['OWN_URL'] + '/', safe='')}">Sign out</a>"""
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page.encode())


os.environ.setdefault("ISSUER", "http://127.0.0.1:8080")
os.environ.setdefault("CLIENT_ID", "my-site")
os.environ.setdefault("PORT", "3000")
os.environ.setdefault("OWN_URL", f"http://127.0.0.1:{os.environ['PORT']}")
os.environ["OWN_URL_ESCAPED"] = re.escape(os.environ["OWN_URL"])  # as a pattern: apache.conf has one
os.environ.setdefault("SESSION_SECRET", secrets.token_hex(32))
if "UPSTREAM" not in os.environ:
    sample = ThreadingHTTPServer(("127.0.0.1", 0), SiteThatCannotBeChanged)
    threading.Thread(target=sample.serve_forever, daemon=True).start()
    os.environ["UPSTREAM"] = f"http://127.0.0.1:{sample.server_port}"
with tempfile.TemporaryDirectory() as state:
    os.environ["STATE"] = state
    config = Path(__file__).with_name("apache.conf").resolve()
    with subprocess.Popen(["/usr/sbin/apache2", "-f", config, "-D", "FOREGROUND"]) as apache:
        signal.signal(signal.SIGTERM, lambda *_: apache.terminate())
        sys.exit(apache.wait())
