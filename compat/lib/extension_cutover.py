"""The way of a VM whose guest has an agent of its own from the extension to the metadata service: the steps come with the
agent's goal state, and how far the guest is comes back with the agent's report."""

import json
import os
import shutil
import subprocess

from extension import NAME, Extension

PORT = 50342
IMDS_LIFE, EXTENSION_LIFE = 86400 + 300, 3600 + 300
"""Seconds from nbf to exp: which endpoint a token is from."""


class Leaving(Extension):
    """Its steps."""

    def forward(self) -> None:
        """A step of the cutover comes with the protected settings: the port gives the metadata service's tokens."""
        assert self.set(settings={"port": PORT})["status"] == "Succeeded"
        credentials = {file.name: file.read_text() for file in self.credentials()}
        assert self.life() == EXTENSION_LIFE
        self.want("forwarding")
        assert self.opened()["cutover"]["step"] == "forwarding", self.opened().keys()
        assert self.told() == "forwarding", self.told()
        assert self.life() == IMDS_LIFE
        # They are good still, so that there is a way back.
        assert credentials == {file.name: file.read_text() for file in self.credentials()}
        assert [self.stolen(json.loads(text)) for text in credentials.values()] == [200] * len(credentials)

    def back(self) -> None:
        """From there and from where its credentials are gone there is a way back."""
        copied = [json.loads(file.read_text()) for file in self.credentials()]
        self.want("serving")
        assert self.life() == EXTENSION_LIFE
        self.want("forwarding")
        self.want("revoked")
        assert not self.credentials() and self.life() == IMDS_LIFE
        assert [self.stolen(one) for one in copied] == [401] * len(copied), "what was copied still signs in"
        assert self.opened()["identities"] == [], "the goal state still brings credentials"
        self.want("serving")
        assert self.life() == EXTENSION_LIFE
        assert len(self.credentials()) == len(copied), self.credentials()
        assert [self.stolen(one) for one in copied] == [401] * len(copied), "what was revoked is good again"

    def leave(self) -> None:
        """The whole way: the port closes, the extension is removed, and nothing usable is left on the disk."""
        assert self.set(settings={"port": PORT})["status"] == "Succeeded"
        copied = [json.loads(file.read_text()) for file in self.credentials()]
        assert copied and [self.stolen(one) for one in copied] == [200] * len(copied)
        assert self.verify("before").returncode == 1, "there is nothing to steal"
        for step in ("forwarding", "revoked", "closed"):
            self.want(step)
        assert not self.answers(PORT), "the port answers"
        assert not (self.guest.agent_folder / "ManagedIdentity-Settings").exists()
        assert self.arm.do("DELETE", self.path, seconds=self.patience)["status"] == "Succeeded"
        self.within(lambda: not self.folders(), "the end of the handler's folder")
        ended = self.verify("after")
        assert ended.returncode == 0 and "nothing usable is left" in ended.stdout, ended.stdout + ended.stderr
        assert [self.stolen(one) for one in copied] == [401] * len(copied), "what was copied still signs in"

    def want(self, step: str) -> None:
        """Wants a step, and waits until the agent has said that the guest has come to it."""
        path = f"{self.vm}/providers/Symbolon.Migration/cutovers/default"
        self.arm.do("PUT", path, {"properties": {"step": step, "quietSeconds": 0}})

        def reached() -> bool:
            said = self.arm.get(path)["properties"]
            assert "failed" not in said, said
            return said["reached"] == step

        self.within(reached, step)

    def life(self) -> int:
        """How long a token of the endpoint lives."""
        said = self.token(PORT)
        return said["exp"] - said["nbf"]

    def newest(self, folder: str, kind: str) -> dict:
        """What a file of the handler's folder says, the one of the highest number."""
        # Beside it may be what an agent noted of another version.
        files = (self.guest.agent_folder / f"{NAME}-{self.version()}" / folder).glob(f"*.{kind}")
        return json.loads(max(files, key=lambda file: int(file.stem)).read_text())

    def told(self) -> str:
        """What the handler says below its status of how far it is."""
        (said,) = self.newest("status", "status")
        below = {entry["name"]: entry["formattedMessage"]["message"] for entry in said["status"]["substatus"]}
        return below["cutover"]

    def opened(self) -> dict:
        """The protected settings that the handler has, opened by the agent's key as the handler does."""
        (settings,) = self.newest("config", "settings")["runtimeSettings"]
        sealed, thumbprint = (settings["handlerSettings"][name] for name in ("protectedSettings", "protectedSettingsCertThumbprint"))
        files = [str(self.guest.agent_folder / f"{thumbprint}.{kind}") for kind in ("crt", "prv")]
        pem = f"-----BEGIN CMS-----\n{sealed.strip()}\n-----END CMS-----\n"
        command = ["openssl", "cms", "-decrypt", "-inform", "PEM", "-recip", files[0], "-inkey", files[1]]
        opened = subprocess.run(command, input=pem.encode(), capture_output=True, timeout=20, check=True).stdout
        return json.loads(opened)["managedIdentity"]

    def verify(self, name: str) -> subprocess.CompletedProcess:
        """`symbolon migrate verify` on a copy of the guest's disk."""
        root = self.guest.folder.parent / f"disk-{name}"
        for copied, place in ((self.guest.folder / "lib", "var/lib"), (self.guest.log_folder, "var/log")):
            shutil.copytree(copied, root / place)
        command = [os.environ["COMPAT_SYMBOLON"], "migrate", "verify", "--guest-root", str(root)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
