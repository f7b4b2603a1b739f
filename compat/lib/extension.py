"""A VM's extension for managed identities as its owner drives it, and as it looks from within the VM: by requests to the
control plane, by a caller's questions, and on the guest's disk."""

import base64
import hashlib
import json
import os
import re
import socket
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
from guest_root import Guest

PUBLISHER, TYPE = "Microsoft.ManagedIdentity", "ManagedIdentityExtensionForLinux"
NAME = f"{PUBLISHER}.{TYPE}"


class Extension:
    """The extension of the VM `dev`, whose guest has an agent of its own."""

    def __init__(self, guest: Guest, period: float) -> None:
        """The agent asks every `period` seconds."""
        self.guest, self.arm = guest, Arm()
        self.vm = world.vm()["id"]
        self.path = f"{self.vm}/extensions/{TYPE}"
        self.counted: int | None = None
        # An agent goes through a change in some of its periods; a command costs it two seconds.
        self.patience = 40 + 5 * period

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

    def switch(self, word: str) -> dict:
        """Enables or disables it, and what came of it."""
        return self.arm.do("POST", f"{self.path}/{word}", seconds=self.patience)

    def agent(self) -> dict:
        """What the control plane knows of the agent."""
        return self.arm.get(f"{self.vm}/instanceView")["vmAgent"]

    def handler(self) -> dict:
        """What the agent says of the handler."""
        (handler,) = self.agent()["extensionHandlers"]
        return handler

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
