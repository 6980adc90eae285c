"""Leads Tencent's host names to the sandbox, as a hosts file and port 443 would. Python loads this before anything else
when its folder is in PYTHONPATH; the libraries under test are as PyPI has them. SANDBOX_TLS is host:port."""

import os
import socket

_real = socket.getaddrinfo
_host, _port = os.environ["SANDBOX_TLS"].split(":")
_domains = (".qq.com", ".qlogo.cn", ".qqmail.com")


def _named(host, port, *args, **kwargs):
    if isinstance(host, str) and host.endswith(_domains) and port in (443, "443", "https"):
        return _real(_host, int(_port), *args, **kwargs)
    return _real(host, port, *args, **kwargs)


socket.getaddrinfo = _named
