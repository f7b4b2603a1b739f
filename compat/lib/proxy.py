"""A real proxy in front of IMDS: what a server that can be made to fetch a URL for an attacker looks like from here.

Its checks come in pairs: as proxies are set up it is refused, and with the one line taken out that gives it away the same
request gets a token. Without the second the first would prove nothing."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import unpacked
import world
from checks import Checks

TARGET = f"/metadata/identity/oauth2/token?api-version=2018-02-01&resource={world.ARM}"


def check_all(program: str, arguments: Callable[[Path], list[str]], config: Callable[[int, bool, bool], str]) -> None:
    """All checks of a proxy. `arguments` says how it is started with a configuration file, `config` makes that file from
    its port, whether it adds `X-Forwarded-For`, and whether it puts IMDS's own address into `Host`."""
    checks = Checks()

    def answer(forwarded: bool, own_host: bool, *, metadata: bool = True) -> tuple[int, str]:
        with running(program, arguments, lambda port: config(port, forwarded, own_host)) as port:
            return ask(port, metadata=metadata)

    with checks.check("a proxy that names whom it asks for is refused"):
        status, body = answer(forwarded=True, own_host=True)
        text = "Requests with the X-Forwarded-For header are not allowed"
        assert (status, json.loads(body)["error_description"]) == (400, text), (status, body)
    with checks.check("one that hides it gets a token: the header alone gave it away"):
        status, body = answer(forwarded=False, own_host=True)
        assert status == 200, (status, body)
        world.assert_token(json.loads(body)["access_token"], world.system_assigned())
    with checks.check("one that passes on the name it was asked by is refused"):
        status, body = answer(forwarded=False, own_host=False)
        text = "The Host header is not allowed"
        assert (status, json.loads(body)["error_description"]) == (400, text), (status, body)
    with checks.check("a request without the Metadata header is refused"):
        status, body = answer(forwarded=False, own_host=True, metadata=False)
        text = "Required metadata header not specified"
        assert (status, json.loads(body)["error_description"]) == (400, text), (status, body)
    checks.done()


def ask(port: int, *, metadata: bool) -> tuple[int, str]:
    """Status and body of a token request through the proxy."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Host": "rebound.example", "Connection": "close"} | ({"Metadata": "true"} if metadata else {})
    connection.request("GET", TARGET, headers=headers)
    reply = connection.getresponse()
    return reply.status, reply.read().decode()


@contextmanager
def running(program: str, arguments: Callable[[Path], list[str]], config: Callable[[int], str]) -> Iterator[int]:
    """A proxy on a free port, as long as the block."""
    root, home = Path(sys.argv[1]), Path(os.environ["HOME"])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = home / "proxy.conf"
    file.write_text(config(port))
    command = [str(root / "usr/sbin" / program), *arguments(file)]
    process = subprocess.Popen(command, cwd=home, env=unpacked.environment(root), stdout=sys.stderr)
    try:
        wait_for(process, port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


def wait_for(process: subprocess.Popen, port: int) -> None:
    """Until it listens."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the proxy ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the proxy doesn't listen")
