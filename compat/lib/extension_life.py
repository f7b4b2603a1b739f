"""The life of the extension for managed identities in a guest whose agent asks symbolon what is wanted, from the
installation to the last trace. The same for every agent: `start` is the command that runs it in the guest."""

import json
import os
import shutil
import signal
import socket
import stat
import time
from pathlib import Path

import world
from checks import Checks
from extension import NAME
from extension_cutover import PORT, Leaving
from guest_root import Guest

SECOND, TAKEN, THIRD = 50343, 50344, 50345


class Life(Leaving):
    """Its steps."""

    def __init__(self, guest: Guest, start: list[str], period: float, version: str, removes_keys: bool = False) -> None:
        """`version` is the agent's own, and `removes_keys` says that its keys go with the last extension; those of Azure's
        agent stay."""
        super().__init__(guest, period)
        self.start, self.checks = start, Checks()
        self.agent_version, self.removes_keys = version, removes_keys

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
                self.by_hand, self.restart, self.dead_endpoint, self.supervised, self.upgrade, self.unknown_version,
                self.recover_version, self.disable, self.enable, self.forward, self.back, self.uninstall, self.leave,
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
        agent = self.agent()
        assert agent["vmAgentVersion"] == self.agent_version, agent
        assert agent["statuses"][0]["displayStatus"] == "Ready", agent

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

    def supervised(self) -> None:
        """An endpoint that died is back by itself where the settings want that."""
        assert self.set(settings={"port": THIRD, "supervised": True})["status"] == "Succeeded"
        self.token(THIRD)
        before = self.process()
        os.kill(before, signal.SIGKILL)
        self.within(lambda: self.token(THIRD) and self.process() != before, "a token of another process")

    def upgrade(self) -> None:
        """A newer package takes the older one's place by itself, with its settings."""
        packages = Path(world.READY["packages"])
        shutil.copy(packages.parent / "newer" / f"{NAME}-1.0.1.0.zip", packages)
        self.within(lambda: self.version() == "1.0.1.0", "the new version")
        self.within(lambda: self.token(THIRD), "a token")
        self.within(lambda: [folder.name for folder in self.folders()] == [f"{NAME}-1.0.1.0"], "the old one's end")

    def unknown_version(self) -> None:
        """A version of which there is no package any more fails, and the one that is there serves on."""
        before = self.process()
        package = Path(world.READY["packages"]) / f"{NAME}-1.0.0.0.zip"
        kept = package.rename(package.parent.parent / package.name)
        try:
            said = self.set(typeHandlerVersion="1.0.0.0", autoUpgradeMinorVersion=False, settings={"port": THIRD})
        finally:
            kept.rename(package)
        assert said["status"] == "Failed", said
        assert said["error"]["code"] == "VMExtensionHandlerNonTransientError", said
        assert f"Unable to find version 1.0.0.0 in manifest for extension {NAME}" in said["error"]["message"], said
        assert self.handler()["status"]["code"] == "ProvisioningState/failed/-1", self.handler()
        self.token(THIRD)
        assert self.process() == before, "the endpoint was restarted"

    def recover_version(self) -> None:
        """The version that is there is wanted again, and all is well."""
        assert self.set(settings={"port": THIRD})["status"] == "Succeeded"
        self.token(THIRD)
        assert self.version() == "1.0.1.0", self.version()

    def disable(self) -> None:
        """Disabled through the goal state it serves no more, and stays on the disk."""
        assert self.switch("disable")["status"] == "Succeeded"
        assert not self.answers(THIRD), "the port answers"
        assert not (self.guest.agent_folder / "ManagedIdentity-Settings").exists()
        # Beside it may be what an agent noted of the version that there wasn't.
        state = self.guest.agent_folder / f"{NAME}-{self.version()}/config/HandlerState"
        assert state.read_text().strip() == "Installed", state
        status = self.handler()["status"]
        assert (status["displayStatus"], status["message"]) == ("Not Ready", "Plugin disabled"), status
        assert self.arm.get(self.path)["properties"]["provisioningState"] == "Succeeded"

    def enable(self) -> None:
        """Enabled again it serves with new credentials."""
        before = {file.name: file.read_text() for file in self.credentials()}
        assert self.switch("enable")["status"] == "Succeeded"
        self.token(THIRD)
        after = {file.name: file.read_text() for file in self.credentials()}
        assert before.keys() == after.keys() and all(before[name] != after[name] for name in before)

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
        assert not self.answers(PORT), "the port answers"
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
