"""The life of the extension for managed identities in a guest whose agent asks symbolon what is wanted, from the
installation to the last trace. The same for every agent: `start` is the command that runs it in the guest."""

import base64
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import stat
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

import world
from arm import Arm
from checks import Checks
from guest_root import Guest

PUBLISHER, TYPE = "Microsoft.ManagedIdentity", "ManagedIdentityExtensionForLinux"
NAME = f"{PUBLISHER}.{TYPE}"
PORT, SECOND, TAKEN, THIRD = 50342, 50343, 50344, 50345


class Life:
    """Drives it by requests to the control plane, and looks at what a caller in the guest sees and at the guest's disk."""

    def __init__(self, guest: Guest, start: list[str], period: float, removes_keys: bool = False) -> None:
        """`removes_keys` says that the agent's keys go with the last extension; Azure's agent leaves them."""
        self.guest, self.start, self.arm, self.checks = guest, start, Arm(), Checks()
        self.removes_keys = removes_keys
        self.vm = world.vm()["id"]
        self.path = f"{self.vm}/extensions/{TYPE}"
        self.counted: int | None = None
        # An agent goes through a change in some of its periods; a command costs it two seconds.
        self.patience = 40 + 5 * period

    def run(self) -> None:
        """All of it, and the result for the harness."""
        # Whatever a case before this one left.
        (Path(world.READY["packages"]) / f"{NAME}-1.0.1.0.zip").unlink(missing_ok=True)
        self.arm.do("PATCH", self.vm, {"identity": {"type": "SystemAssigned"}})
        self.guest.start(self.start, "agent.log")
        try:
            self.within(self.has_joined, "the agent")
            for step in (
                self.install, self.another_identity, self.move, self.same_again, self.taken_port, self.recover,
                self.by_hand, self.restart, self.dead_endpoint, self.upgrade, self.uninstall,
            ):  # fmt: skip
                with self.checks.check(step.__doc__.strip().rstrip(".")):
                    step()
                if not self.checks.all[0]["ok"]:
                    # Nothing of what follows could be seen.
                    break
        finally:
            self.guest.stop()
        self.checks.done()

    def install(self) -> None:
        """A PUT of the extension installs and enables it in the guest."""
        took = time.monotonic()
        said = self.set(settings={"port": PORT}, protectedSettings={})
        assert said["status"] == "Succeeded", said
        self.token(PORT)
        print(f"from the PUT to a token: {time.monotonic() - took:.1f} s")
        shown = self.arm.get(f"{self.path}?$expand=instanceView")["properties"]
        assert shown["provisioningState"] == "Succeeded", shown
        assert shown["instanceView"]["typeHandlerVersion"] == "1.0.0.0", shown["instanceView"]
        said = json.loads((self.guest.agent_folder / "ManagedIdentity-Settings").read_text())
        assert said == {"url": f"http://localhost:{PORT}"}, said
        for file in self.credentials():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        assert self.machine()["extension"] is None, "symbolon itself serves it too"

    def another_identity(self) -> None:
        """An identity that is assigned later works without a restart."""
        group = self.vm.rsplit("/providers/", 1)[0]
        app = self.arm.get(f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app?api-version=2023-01-31")
        before = self.process()
        self.arm.do("PATCH", self.vm, {
            "identity": {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {app["id"]: {}}}})
        client = app["properties"]["clientId"]
        self.within(lambda: self.token(PORT, client_id=client), "a token of the identity")
        assert self.process() == before, "the endpoint was restarted"
        assert len(self.credentials()) == 2, self.credentials()

    def move(self) -> None:
        """Other settings move the endpoint to another port."""
        assert self.set(settings={"port": SECOND})["status"] == "Succeeded"
        self.token(SECOND)
        assert not self.answers(PORT), "the old port answers"

    def same_again(self) -> None:
        """A changed force-update tag restarts the endpoint."""
        before = self.process()
        assert self.set(settings={"port": SECOND}, forceUpdateTag="again")["status"] == "Succeeded"
        self.token(SECOND)
        assert self.process() != before, "the endpoint is the same process"

    def taken_port(self) -> None:
        """A port that somebody has fails the operation with a message that names it."""
        with socket.create_server(("127.0.0.1", TAKEN)):
            said = self.set(settings={"port": TAKEN})
        assert said["status"] == "Failed", said
        assert str(TAKEN) in said["error"]["message"], said
        codes = ("VMExtensionProvisioningError", "VMExtensionHandlerNonTransientError")
        assert said["error"]["code"] in codes, said
        assert self.arm.get(self.path)["properties"]["provisioningState"] == "Failed"

    def recover(self) -> None:
        """Other settings mend it."""
        assert self.set(settings={"port": THIRD})["status"] == "Succeeded"
        self.token(THIRD)

    def by_hand(self) -> None:
        """The handler's commands work by hand, without the agent's environment."""
        handler = self.folder() / "bin/symbolon-guest"
        self.inside([str(handler), "disable"])
        self.within(lambda: not self.answers(THIRD), "the end of the endpoint")
        self.inside([str(handler), "enable"])
        self.within(lambda: self.token(THIRD), "a token")

    def restart(self) -> None:
        """After a restart of the machine the endpoint is back."""
        self.guest.stop()
        self.within(lambda: not self.answers(THIRD), "the end of the endpoint")
        self.guest.start(self.start, "agent.log")
        self.within(lambda: self.token(THIRD), "a token")

    def dead_endpoint(self) -> None:
        """An endpoint that died is back with a changed force-update tag."""
        os.kill(self.process(), signal.SIGKILL)
        self.within(lambda: not self.answers(THIRD), "the end of the endpoint")
        assert self.set(settings={"port": THIRD}, forceUpdateTag="dead")["status"] == "Succeeded"
        self.token(THIRD)

    def upgrade(self) -> None:
        """A newer package takes the older one's place, with its settings."""
        packages = Path(world.READY["packages"])
        shutil.copy(packages.parent / "newer" / f"{NAME}-1.0.1.0.zip", packages)
        assert self.set(settings={"port": THIRD}, forceUpdateTag="newer")["status"] == "Succeeded"
        self.within(lambda: self.version() == "1.0.1.0", "the new version")
        self.within(lambda: self.token(THIRD), "a token")
        self.within(lambda: [folder.name for folder in self.folders()] == [f"{NAME}-1.0.1.0"], "the old one's end")

    def uninstall(self) -> None:
        """Removed, it leaves no credential that works and nothing that leads to it."""
        copied = [json.loads(file.read_text()) for file in self.credentials()]
        assert copied, "there was nothing to steal"
        sealed = self.sealed()
        assert sealed, "nothing was sealed"
        # While it is there the disk's thief gets tokens: that is why it is to go.
        assert [self.stolen(one) for one in copied] == [200] * len(copied)
        said = self.arm.do("DELETE", self.path, seconds=self.patience)
        assert said["status"] == "Succeeded", said
        assert not self.answers(THIRD), "the port answers"
        self.within(lambda: not self.folders(), "the end of the handler's folder")
        assert not self.credentials(), self.credentials()
        assert [self.stolen(one) for one in copied] == [401] * len(copied), "what was copied still signs in"
        assert not (self.guest.agent_folder / "ManagedIdentity-Settings").exists()
        disk = [self.guest.agent_folder, self.guest.state_folder, self.guest.log_folder]
        on_disk = [file for folder in disk for file in folder.rglob("*") if file.is_file()]
        logs = [self.guest.folder / "agent.log", Path(os.environ["COMPAT_WORLD"]).parent / "symbolon.log"]
        for file in on_disk + logs:
            text = file.read_bytes()
            for stolen in copied:
                assert stolen["privateKey"].encode() not in text, file
            assert b"eyJ0eXAi" not in text, f"{file} has a token in it"
            # A key that is left opens nothing that is left.
            whole = text.replace(b"\n", b"")
            assert not any(piece in whole for piece in sealed), f"{file} has sealed settings in it"
        if self.removes_keys:
            self.within(lambda: not self.keys(), "the end of the agent's keys")

    def sealed(self) -> list[bytes]:
        """A piece of each protected settings that a handler has, from the middle: the beginnings are all the same."""
        found = []
        for file in self.guest.agent_folder.glob(f"{NAME}-*/config/*.settings"):
            (settings,) = json.loads(file.read_text())["runtimeSettings"]
            text = (settings["handlerSettings"].get("protectedSettings") or "").replace("\n", "")
            if text:
                found.append(text[len(text) // 2 :][:64].encode())
        return found

    def keys(self) -> list[Path]:
        """The private keys in the agent's folder."""
        return [*self.guest.agent_folder.glob("*.prv"), *self.guest.agent_folder.glob("TransportPrivate.pem")]

    def has_joined(self) -> bool:
        """Whether an agent has gone through a goal state; from the first on the extension is the agent's."""
        with urllib.request.urlopen(f"{world.READY['metrics']}/metrics", timeout=5) as reply:
            counted = re.search(r"^symbolon_wireserver_requests_total\{[^}]*answered[^}]*\} ([0-9]+)", reply.read().decode(), re.M)
        now = int(counted[1]) if counted else 0
        self.counted = now if self.counted is None else self.counted
        return now - self.counted >= 8

    def stolen(self, credential: dict) -> int:
        """How the authority answers somebody else who has a credential of the guest's disk."""
        encode = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=")  # noqa: E731
        url = f"{world.READY['authority']}/{credential['tenantId']}/oauth2/v2.0/token"
        thumbprint = hashlib.sha256(base64.b64decode(credential["certificate"])).digest()
        head = {"alg": "PS256", "typ": "JWT", "x5t#S256": encode(thumbprint).decode()}
        client, now = credential["clientId"], int(time.time())
        claims = {"aud": url, "iss": client, "sub": client, "jti": os.urandom(8).hex(), "nbf": now - 5, "exp": now + 300}
        signed = b".".join(encode(json.dumps(part).encode()) for part in (head, claims))
        key = serialization.load_der_private_key(base64.b64decode(credential["privateKey"]), None)
        signature = key.sign(signed, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        form = {
            "client_id": client, "scope": f"{world.ARM}/.default", "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": (signed + b"." + encode(signature)).decode(),
        }  # fmt: skip
        try:
            with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode(), context=self.arm.context, timeout=20) as reply:
                return reply.status
        except urllib.error.HTTPError as why:
            return why.code

    def set(self, **properties: object) -> dict:
        """PUT of the extension and what came of it."""
        wanted = {"publisher": PUBLISHER, "type": TYPE, "typeHandlerVersion": "1.0", "autoUpgradeMinorVersion": True}
        body = {"location": "westus", "properties": wanted | properties}
        return self.arm.do("PUT", self.path, body, self.patience)

    def token(self, port: int, **selector: str) -> dict:
        """A token of the endpoint, as the documented client asks for one."""
        query = urllib.parse.urlencode({"resource": world.ARM, **selector})
        request = urllib.request.Request(f"http://localhost:{port}/oauth2/token?{query}", headers={"Metadata": "true"})
        with urllib.request.urlopen(request, timeout=15) as reply:
            return world.claims(json.load(reply)["access_token"])

    def answers(self, port: int) -> bool:
        """Whether somebody listens there."""
        with socket.socket() as probe:
            probe.settimeout(2)
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def within(self, look: Callable[[], object], what: str) -> None:
        """Waits for something that is true in a while."""
        deadline, last = time.monotonic() + self.patience, None
        while time.monotonic() < deadline:
            try:
                if look():
                    return
            except (OSError, urllib.error.URLError, AssertionError) as why:
                last = why
            time.sleep(0.2)
        raise AssertionError(f"no sign of {what} after {self.patience:.0f} s: {last}")

    def credentials(self) -> list[Path]:
        """The credentials on the guest's disk."""
        return sorted((self.guest.state_folder / "identities").glob("*.json"))

    def folders(self) -> list[Path]:
        """The folders of the handler, one for each version."""
        return sorted(path for path in self.guest.agent_folder.glob(f"{NAME}-*") if path.is_dir())

    def folder(self) -> Path:
        """The only one, as the guest calls it."""
        (folder,) = self.folders()
        return Path("/var/lib/waagent") / folder.name

    def version(self) -> str:
        """The version that the control plane knows to run."""
        return self.arm.get(f"{self.path}?$expand=instanceView")["properties"]["instanceView"]["typeHandlerVersion"]

    def process(self) -> int:
        """The endpoint's process: whoever listens, as the guest's own program is called."""
        found = [
            int(entry.name) for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and b"symbolon-guest\0serve" in self.command_line(entry)
        ]  # fmt: skip
        assert len(found) == 1, found
        return found[0]

    def command_line(self, entry: Path) -> bytes:
        """How a process was called."""
        try:
            return (entry / "cmdline").read_bytes()
        except OSError:
            return b""

    def inside(self, command: list[str]) -> None:
        """Runs a command in the guest's own root and processes."""
        self.guest.run(command)

    def machine(self) -> dict:
        """The VM as symbolon tells of it now."""
        file = Path(world.READY["caFile"]).parent.parent / "instance.json"
        return next(vm for vm in json.loads(file.read_text())["vms"] if vm["id"] == self.vm)
