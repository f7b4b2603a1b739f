"""Unmodified SDKs dial 169.254.169.254 from within a VM's own network, with nothing set that leads them there."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import world
from bed import Bed, Network, Symbolon
from checks import Checks

HOME = Path(os.environ["HOME"])
SCOPE = "https://vault.azure.net/.default"
AZURE_IDENTITY = f"""
from azure.identity import ManagedIdentityCredential
print(ManagedIdentityCredential().get_token("{SCOPE}").token)
"""
MSAL = """
import msal, requests
client = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=requests.Session())
print(client.acquire_token_for_client(resource="https://vault.azure.net")["access_token"])
"""
NODE_IDENTITY = f"""
const {{ ManagedIdentityCredential }} = require("@azure/identity");
new ManagedIdentityCredential().getToken("{SCOPE}").then((token) => console.log(token.token));
"""
NODE_MSAL = """
const { ManagedIdentityApplication } = require("@azure/msal-node");
new ManagedIdentityApplication().acquireToken({ resource: "https://vault.azure.net" }).then((token) => console.log(token.accessToken));
"""
SDKS = {
    "azure-identity for Python": ([sys.executable, "-c"], AZURE_IDENTITY),
    "msal for Python": ([sys.executable, "-c"], MSAL),
    "@azure/identity": ([sys.argv[1], "-e"], NODE_IDENTITY),
    "@azure/msal-node": ([sys.argv[1], "-e"], NODE_MSAL),
}


def main() -> None:
    checks = Checks()
    with ExitStack() as stack:
        bed = Bed(stack)
        guests = {name: bed.guest(name, "10.0.0.4") for name in ("one", "two")}
        vms = "".join(
            f"- name: {name}\n  identity: {{systemAssigned: true}}\n  attachment: {{device: tap-{name}}}\n" for name in guests
        )
        seed = HOME / "seed.yaml"
        seed.write_text(f"virtualMachines:\n{vms}")
        up = stack.enter_context(bed.symbolon("up", "--ephemeral", "--no-extension", "--seed", str(seed), log=HOME / "up.log"))
        for name, (command, program) in SDKS.items():
            with checks.check(name):
                for vm, guest in guests.items():
                    assert_token(up, vm, ask(guest, command, program))
    checks.done()


def ask(guest: Network, command: list[str], program: str) -> str:
    """The token that an SDK gets in a guest."""
    guest.assert_no_way_out()
    clean = {name: os.environ[name] for name in ("PATH", "HOME", "LANG")} | {"NODE_PATH": os.environ["COMPAT_NODE_MODULES"]}
    ended = subprocess.run([*guest.enter, *command, program], env=clean, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def assert_token(up: Symbolon, vm: str, token: str) -> None:
    """It is the VM's own."""
    (told,) = (one for one in up.ready["vms"] if one["name"] == vm)
    (own,) = told["identities"]
    said = world.claims(token)
    assert (said["oid"], said["appid"], said["aud"]) == (own["principalId"], own["clientId"], "https://vault.azure.net"), said


main()
