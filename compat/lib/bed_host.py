"""A `symbolon host` on a bed: the host of the VMs `a` and `b`, and the authority that it signs in to."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import world
from bed import Bed, Network, Symbolon, within

A, B = "10.92.0.1", "10.92.0.2"
"""The addresses of the VMs, where that is what tells them apart."""
TENANT, SUBSCRIPTION = "6f8a0f7e-0c1b-4d59-9d6a-3b1f5c2e7a10", "2b9d6c0a-41e7-4f0e-8a3b-90c1d2e3f405"
HOME = Path(os.environ["HOME"])
ATTACHMENTS = {
    "device": '{{ device = "tap-{vm}" }}',
    "bridge": '{{ device = "br0" }}',
    "near": '{{ device = "tap-{vm}", hop-limit = 1 }}',
    "nearly": '{{ device = "tap-{vm}", hop-limit = 2 }}',
    "source": '{{ source = "{address}", accept-spoofing = true }}',
    "namespace": '{{ netns = "{namespace}" }}',
}


class Host:
    """The host of the VMs `a` and `b`: an authority, and a `symbolon host` that signs in to it as their identities."""

    def __init__(self, bed: Bed) -> None:
        self.bed, self.clients = bed, {}
        applications = []
        for number, vm in enumerate("ab", 1):
            both, certificate = HOME / f"{vm}.pem", HOME / f"{vm}-certificate.pem"
            subprocess.run([sys.executable, Path(__file__).with_name("make_certificate.py"), both, certificate], check=True)
            self.clients[vm] = client = f"30000000-0000-4000-8000-{number:012}"
            principal = client.replace("3", "4", 1)
            applications.append(f"{{name: {vm}, clientId: {client}, principalId: {principal}, certificate: {certificate.name}}}")
        seed = HOME / "authority.yaml"
        seed.write_text(f"tenants: [{{name: t, id: {TENANT}}}]\napplications: [{', '.join(applications)}]\n")
        options = ("up", "--ephemeral", "--no-extension", "--seed", str(seed))
        self.authority = bed.stack.enter_context(bed.symbolon(*options, log=HOME / "authority.log")).ready

    def config(self, kind: str, limits: str = "", vms: str = "ab", **places: str) -> Path:
        """A configuration in which every VM has this kind of attachment."""
        text = [f'[authority]\nurl = "{self.authority["authority"]}"\nca-file = "{self.authority["caFile"]}"\n{limits}']
        for number, vm in enumerate(vms, 1):
            group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Compute/virtualMachines"
            words = {"vm": vm, "address": {"a": A, "b": B}[vm], "namespace": places.get(vm, "")}
            text.append(
                f'[[virtual-machines]]\nname = "{vm}"\nid = "{group}/{vm}"\ntenant = "{TENANT}"\n'
                f'vm-id = "50000000-0000-4000-8000-{number:012}"\nattachment = {ATTACHMENTS[kind].format(**words)}\n'
                f'[virtual-machines.system-assigned]\nclient-id = "{self.clients[vm]}"\n'
                f'principal-id = "{self.clients[vm].replace("3", "4", 1)}"\ncertificate = "{vm}.pem"\n'
            )
        path = HOME / "host.toml"
        path.write_text("\n".join(text))
        return path

    @contextmanager
    def serving(self, kind: str, limits: str = "", files: int | None = None, vms: str = "ab", **places: str) -> Iterator[Symbolon]:
        """A `symbolon host` for a while."""
        config = self.config(kind, limits, vms, **places)
        with self.bed.symbolon("host", "--config", str(config), log=HOME / "host.log", files=files) as host:
            yield host

    def who(self, guest: Network, source: str = "", timeout: float = 3) -> str:
        """Whose token a guest gets, or why it gets none."""
        ((status, body),) = guest.ask(source=source, timeout=timeout)
        if status != 200:
            return f"none: {status} {body}"
        client = world.claims(json.loads(body)["access_token"])["appid"]
        return next(vm for vm, known in self.clients.items() if known == client)

    def soon(self, guest: Network, vm: str, source: str = "") -> None:
        """The guest gets this VM's token, once what was just changed has come about."""
        within(lambda: self.who(guest, source) == vm, f"{vm}'s token")
