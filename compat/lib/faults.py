"""A reverse proxy in front of the control plane that answers some requests itself: what a client does when the service
fails can't be seen of a service that doesn't. With TLS by a certificate of its own, for clients send tokens to nobody
without."""

import http.client
import re
import ssl
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import world

SECONDS = 30
NOT_PASSED_ON = {"connection", "transfer-encoding", "content-length", "host"}


@dataclass
class Fault:
    """Answers in the place of the service's, for the requests that fit; afterwards those get through."""

    method: str
    path: str
    """A regular expression that the path fits whole."""
    status: int
    body: str
    times: int = 1_000
    headers: dict[str, str] = field(default_factory=dict)
    seen: int = 0
    """How many requests fitted, those that got through too."""

    def fits(self, method: str, path: str) -> bool:
        """Whether a request is one of those."""
        return method == self.method and re.fullmatch(self.path, path, re.IGNORECASE) is not None


class Proxy(ThreadingHTTPServer):
    """The proxy, on a free port of its own. `bundle` names what a client must trust: the proxy and the service."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults: list[Fault] = []
        self.seen: list[tuple[str, str]] = []
        self.lock = threading.Lock()
        both, certificate = folder / "proxy-key-and-certificate.pem", folder / "proxy-certificate.pem"
        made_by = Path(__file__).with_name("make_certificate.py")
        subprocess.run([sys.executable, made_by, both, certificate, "127.0.0.1"], check=True)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(both)
        self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        ca = Path(world.READY["caFile"])
        self.upstream = urllib.parse.urlsplit(world.READY["arm"])
        self.trust = ssl.create_default_context(cafile=ca)
        self.bundle = folder / "proxy-and-service.pem"
        self.bundle.write_text(certificate.read_text() + ca.read_text())
        self.url = f"https://localhost:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @contextmanager
    def with_faults(self, *faults: Fault) -> Iterator[list[tuple[str, str]]]:
        """Answers so as long as the block; gives the requests of that time, method and path."""
        with self.lock:
            self.faults, self.seen = list(faults), []
        try:
            yield self.seen
        finally:
            with self.lock:
                self.faults = []

    def fault(self, method: str, path: str) -> Fault | None:
        """The answer to this request that isn't the service's."""
        with self.lock:
            self.seen.append((method, path))
            for fault in self.faults:
                if fault.fits(method, path):
                    fault.seen += 1
                    return fault if fault.seen <= fault.times else None
        return None


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Proxy

    def answer(self) -> None:
        """Reads a request and answers it, or lets the service do so."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.fault(self.command, urllib.parse.urlsplit(self.path).path)
        if fault is not None:
            self.reply(fault.status, {"Content-Type": "application/json"} | fault.headers, fault.body.encode())
            return
        upstream = self.server.upstream
        connection = http.client.HTTPSConnection(upstream.hostname, upstream.port, timeout=SECONDS, context=self.server.trust)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in NOT_PASSED_ON}
        connection.request(self.command, self.path, body=body, headers=headers)
        with connection.getresponse() as found:
            text = found.read()
            passed = {name: value for name, value in found.getheaders() if name.lower() not in NOT_PASSED_ON}
        connection.close()
        self.reply(found.status, passed, text)

    def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Writes an answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_PATCH = do_POST = do_DELETE = answer

    def log_message(self, *_: object) -> None:
        """Says nothing."""
