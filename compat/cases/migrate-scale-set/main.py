"""A scale set leaves the extension step by step while azure-identity asks each of its machines at the old port: every machine
answers all the while, also those that come in the middle of it, and back is the same way."""

import os
import subprocess
import sys
import time
from pathlib import Path

import machines
import world
from arm import Arm
from azure.identity import ManagedIdentityCredential
from checks import Checks

SYMBOLON = sys.argv[1]
DATA = Path(world.READY["caFile"]).parent.parent
EXTENSION_LIFE, IMDS_LIFE = 3600 + 300, 86400 + 300
"""Seconds from nbf to exp: which endpoint a token is from."""
GROUP = world.vm()["id"].rsplit("/providers/", 1)[0]
SET = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/leaving"
CUTOVER = "providers/Symbolon.Migration/cutovers/default"
PORT = 50342
NAME = "ManagedIdentityExtensionForLinux"

checks, arm = Checks(), Arm()


def model(capacity: int) -> dict:
    """The whole scale set, as a template has it."""
    extension = {"publisher": "Microsoft.ManagedIdentity", "type": NAME, "typeHandlerVersion": "1.0", "settings": {"port": PORT}}
    profile = {"extensionProfile": {"extensions": [{"name": NAME, "properties": extension}]}}
    return {
        "location": "westus", "identity": {"type": "SystemAssigned"}, "sku": {"name": "Standard_B1s", "capacity": capacity},
        "properties": {"upgradePolicy": {"mode": "Manual"}, "virtualMachineProfile": profile},
    }  # fmt: skip


def grow(capacity: int, step: str | None = None) -> None:
    """Has so many machines; the last one comes to a step by itself."""
    ended = arm.do("PATCH", SET, {"sku": {"capacity": capacity}})
    assert ended["status"] == "Succeeded", ended
    deadline = time.monotonic() + 30
    while step and (said := arm.get(f"{instance(capacity - 1)}/{CUTOVER}")["properties"])["reached"] != step:
        assert time.monotonic() < deadline, said
        time.sleep(0.1)


def instance(number: int) -> str:
    return f"{SET}/virtualMachines/{number}"


def cutover(*arguments: str) -> str:
    """What the command says; it ends well."""
    command = [SYMBOLON, "migrate", "cutover", "--vm", "leaving", "--data-dir", str(DATA), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def life(number: int) -> int:
    """How long the token lives that azure-identity gets at the old port of a machine."""
    os.environ["MSI_ENDPOINT"] = machines.machine(instance(number))["extension"]
    said = world.claims(ManagedIdentityCredential().get_token(f"{world.ARM}/.default").token)
    assert said["oid"] == principal, said
    return said["exp"] - said["nbf"]


def credentials(number: int) -> list[Path]:
    """The credentials on a machine's disk."""
    return list((DATA / f"guests/leaving_{number}/var/lib/symbolon/identities").glob("*"))


try:
    with checks.check("two machines serve by credentials of their own"):
        assert arm.do("PUT", SET, model(2))["status"] == "Succeeded"
        principal = arm.get(SET)["identity"]["principalId"]
        assert [life(number) for number in range(2)] == [EXTENSION_LIFE] * 2
        assert all(credentials(number) for number in range(2))
    with checks.check("forwarding: both, and one that comes then"):
        cutover("--to", "forwarding")
        grow(3, "forwarding")
        assert [life(number) for number in range(3)] == [IMDS_LIFE] * 3
    with checks.check("revoked: all of them, and one that comes then never has a credential"):
        cutover("--to", "revoked")
        grow(4, "revoked")
        assert [life(number) for number in range(4)] == [IMDS_LIFE] * 4
        assert not any(credentials(number) for number in range(4))
    with checks.check("undo: all of them serve by new credentials"):
        cutover("--undo")
        assert [life(number) for number in range(4)] == [EXTENSION_LIFE] * 4
    with checks.check("the whole way: the extension goes from all of them and from the model"):
        told = cutover("--quiet", "0s")
        assert told.count(": at removed") == 4 and told.count("done: remove") == 1, told
        assert arm.get(f"{SET}/extensions")["value"] == []
        grow(5)
        for number in range(5):
            machines.assert_gets(instance(number), principal)
            assert not machines.is_open(instance(number), PORT), number
            assert not credentials(number), number
finally:
    arm.do("DELETE", SET)
checks.done()
