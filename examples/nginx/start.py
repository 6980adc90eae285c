"""nginx in the foreground, in front of UPSTREAM; without one, in front of a sample made here. The gate is ../go."""

import html
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

HERE = Path(__file__).resolve().parent


class SiteThatCannotBeChanged(BaseHTTPRequestHandler):
    """Knows nothing of logins; it reads the two headers that nginx adds."""

    def do_GET(self):
        name, sub = unquote(self.headers["X-Remote-Name"]), self.headers["X-Remote-User"]
        page = f"""<meta charset="utf-8"><p>Hello {html.escape(name)}, you are {html.escape(sub)}.</p>
            <form method="post" action="/logout"><button>Sign out</button></form>"""
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page.encode())


def serve_sample():
    sample = ThreadingHTTPServer(("127.0.0.1", 0), SiteThatCannotBeChanged)
    threading.Thread(target=sample.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{sample.server_port}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_gate(state, port, own_port):
    """The website of ../go, which nginx asks; it looks to the visitor as if it were part of the site."""
    subprocess.run(["go", "build", "-o", f"{state}/gate", "."], cwd=HERE.parent / "go", check=True)
    own_url = os.environ.get("OWN_URL", f"http://127.0.0.1:{own_port}")
    gate = subprocess.Popen([f"{state}/gate"], env={**os.environ, "PORT": str(port), "OWN_URL": own_url})
    while gate.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return gate
        time.sleep(0.05)
    sys.exit(gate.returncode)


with tempfile.TemporaryDirectory() as state:
    os.chmod(state, 0o755)  # nginx' workers are somebody else
    own_port, gate_port = os.environ.get("PORT", "3000"), free_port()
    gate = start_gate(state, gate_port, own_port)
    values = {
        "STATE": state,
        "PORT": own_port,
        "GATE": f"http://127.0.0.1:{gate_port}",
        "UPSTREAM": os.environ.get("UPSTREAM") or serve_sample(),
    }
    config = (HERE / "nginx.conf").read_text()
    for name, value in values.items():
        config = config.replace(f"@{name}@", value)
    Path(state, "nginx.conf").write_text(config)
    try:
        with subprocess.Popen(["nginx", "-c", f"{state}/nginx.conf", "-e", "stderr"]) as nginx:
            signal.signal(signal.SIGTERM, lambda *_: nginx.terminate())
            sys.exit(nginx.wait())
    finally:
        gate.terminate()
        gate.wait()
