"""Slow-loris: clients that send a head without end. symbolon closes each of them in seconds and serves everybody else
meanwhile; a server that waits keeps them all."""

import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import unpacked
import world
from checks import Checks

CONNECTIONS = 300
SECONDS = 20
ROOT = Path(sys.argv[1])


def attack(name: str, url: str, meanwhile=lambda process: None) -> dict[str, int | str]:
    """How many connections the attacker held at most and at the end, and how slowhttptest says that it ended; `meanwhile`
    runs while it goes on."""
    log = Path(os.environ["HOME"]) / name
    command = [
        str(ROOT / "usr/bin/slowhttptest"), "-H", "-c", str(CONNECTIONS), "-r", "150", "-i", "1", "-l", str(SECONDS),
        "-p", "3", "-g", "-o", str(log), "-u", url,
    ]  # fmt: skip
    output = log.with_suffix(".txt").open("w+")
    process = subprocess.Popen(command, env=unpacked.environment(ROOT), stdout=output, stdin=subprocess.DEVNULL)
    try:
        meanwhile(process)
        process.wait(timeout=SECONDS + 30)
    finally:
        process.kill()
        process.wait()
    output.seek(0)
    ended = re.search(r"Exit status:\s*(.+)", re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", output.read()))
    # A head of statistics has its columns in another order than their lines: connected comes third.
    held = [int(line.split(",")[3]) for line in log.with_suffix(".csv").read_text().splitlines()[1:]]
    return {"most": max(held), "held": held[-1], "ended": ended and ended.group(1).strip()}


def ask_on(url: str, headers: dict[str, str]):
    """Asks for tokens as long as the attack goes on; each must come at once."""

    def ask(process: subprocess.Popen) -> None:
        asked = 0
        while process.poll() is None:
            started = time.monotonic()
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as reply:
                assert reply.status == 200
            took = time.monotonic() - started
            assert took < 2, f"a token took {took:.1f} s"
            asked += 1
            time.sleep(0.2)
        assert asked > 10, f"asked {asked} times only"

    return ask


class Patient(BaseHTTPRequestHandler):
    """Waits for the end of a head as long as it takes."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing: a thread that still writes when this program ends makes Python abort."""


@contextmanager
def patient_server():
    """A server without a limit, as the attack wants it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Patient)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()


def assert_withstood(seen: dict[str, int]) -> None:
    """The attack came, and nothing of it is left before its time is over."""
    assert seen["most"] > CONNECTIONS / 2 and seen["ended"] == "No open connections left", seen


checks = Checks()
imds, extension = world.vm()["imds"], world.vm()["extension"]
token = f"{imds}/metadata/identity/oauth2/token?api-version=2018-02-01&resource={world.ARM}"
with checks.check("the metadata service closes every one of them and serves others meanwhile"):
    assert_withstood(attack("imds", token.partition("?")[0], ask_on(token, {"Metadata": "true"})))
with checks.check("so does the extension"):
    # slowhttptest asks for one address, and the name has two.
    own = urlsplit(extension)
    target = f"http://127.0.0.1:{own.port}{own.path}"
    good = f"{extension}?resource={world.ARM}"
    assert_withstood(attack("extension", target, ask_on(good, {"Metadata": "true"})))
with checks.check("a server that waits is held to the end: the attack is one"), patient_server() as url:
    seen = attack("patient", url)
    assert seen["held"] >= CONNECTIONS * 0.9 and seen["ended"] == "Hit test time limit", seen
checks.done()
