"""A machine of which symbolon is the host: our own agent, from the extension's package, in a root and a network of its
own."""

import json
import os
import time
import urllib.parse
import zipfile
from collections.abc import Callable
from pathlib import Path

import world
from guest_network import GuestNetwork
from guest_root import Guest

PORT = 50342
PATIENCE = 45


class Machine:
    """It is known to symbolon by the host that `--wireserver vm=NAME` names."""

    def __init__(self, number: int, name: str, package: Path) -> None:
        self.name = name
        self.host = next(host["wire"] for host in world.READY["wireServers"] if host["vm"] == name)
        own, shared = (urllib.parse.urlsplit(url).hostname for url in (self.host, world.READY["authority"]))
        self.network = GuestNetwork(number, own, shared)
        self.guest = Guest(Path(os.environ["HOME"]) / name, [], self.network)
        self.program = self.guest.folder / "symbolon-guest"
        with zipfile.ZipFile(package) as file:
            (program,) = (entry for entry in file.namelist() if entry.endswith("/symbolon-guest"))
            self.program.write_bytes(file.read(program))
        self.program.chmod(0o755)

    def start(self) -> None:
        """Starts the agent, and waits until it has been told what is wanted; from then on the extension is its own."""
        self.network.assert_isolated()
        port = str(urllib.parse.urlsplit(self.host).port)
        self.guest.start([str(self.program), "agent", "--host", self.host, "--plugin-port", port, "--period", "1"], "agent.log")
        log = self.guest.folder / "agent.log"
        within(lambda: "something else is wanted" in log.read_text(), f"the agent of {self.name}")

    def stop(self) -> None:
        """Ends it and its network."""
        self.guest.stop()
        self.network.close()

    def asks(self, **selector: str) -> tuple[int, dict]:
        """What a caller in the guest gets of the extension."""
        query = urllib.parse.urlencode({"resource": world.ARM, **selector})
        status, body = self.network.ask(f"http://localhost:{PORT}/oauth2/token?{query}", Metadata="true")
        return status, json.loads(body)

    def credentials(self) -> dict[str, Path]:
        """What stands on the guest's disk, by the client id in it."""
        files = (self.guest.state_folder / "identities").glob("*.json")
        return {json.loads(file.read_text())["clientId"]: file for file in files}

    def assert_serves_nothing(self) -> None:
        """Nobody listens, and there is nothing to steal."""
        try:
            self.asks()
            raise AssertionError("the port answers")
        except OSError as why:
            assert "refused" in str(why), why
        assert not self.credentials(), self.credentials()


def within(look: Callable[[], object], what: str) -> None:
    """Waits for something that is true in a while."""
    deadline = time.monotonic() + PATIENCE
    while not look():
        assert time.monotonic() < deadline, f"no sign of {what} after {PATIENCE} s"
        time.sleep(0.2)
