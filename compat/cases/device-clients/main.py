"""Unmodified SDKs dial 169.254.169.254 from within a VM's own network, with nothing set that leads them there. What serves
them is `symbolon up` in one half, and `symbolon host` in the other."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import world
from bed import Bed, Network
from bed_host import Host
from checks import Checks

HOME = Path(os.environ["HOME"])
NODE, BUILDS = sys.argv[1:]
AUDIENCE = "https://management.azure.com"
AZURE_IDENTITY = f"""
from azure.identity import ManagedIdentityCredential
print(ManagedIdentityCredential().get_token("{AUDIENCE}/.default").token)
"""
MSAL = f"""
import msal, requests
client = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=requests.Session())
print(client.acquire_token_for_client(resource="{AUDIENCE}")["access_token"])
"""
NODE_IDENTITY = f"""
const {{ ManagedIdentityCredential }} = require("@azure/identity");
new ManagedIdentityCredential().getToken("{AUDIENCE}/.default").then((token) => console.log(token.token));
"""
NODE_MSAL = f"""
const {{ ManagedIdentityApplication }} = require("@azure/msal-node");
new ManagedIdentityApplication().acquireToken({{ resource: "{AUDIENCE}" }}).then((token) => console.log(token.accessToken));
"""
SDKS = {
    "azure-identity for Python": [sys.executable, "-c", AZURE_IDENTITY],
    "msal for Python": [sys.executable, "-c", MSAL],
    "@azure/identity": [NODE, "-e", NODE_IDENTITY],
    "@azure/msal-node": [NODE, "-e", NODE_MSAL],
    "azidentity for Go": [f"{BUILDS}/go-azidentity", "token"],
    "azure_identity for Rust": [f"{BUILDS}/rust/debug/compat-rust-azure-identity", "token"],
    "azure-identity for Java": ["java", "-cp", f"{BUILDS}/java/classes:{BUILDS}/java/jars/*", "Token"],
}
"""Each prints the token, or a line of JSON that has it."""


def main() -> None:
    checks = Checks()
    for name, serving in {"up": serving_by_up, "host": serving_by_host}.items():
        with ExitStack() as stack:
            bed = Bed(stack)
            guests = {vm: bed.guest(vm, "10.0.0.4") for vm in "ab"}
            owners = stack.enter_context(serving(bed))
            for sdk, command in SDKS.items():
                with checks.check(f"{name}: {sdk}"):
                    for vm, guest in guests.items():
                        said = world.claims(ask(guest, command))
                        assert (said["appid"], said["aud"]) == (owners[vm], AUDIENCE), said
    checks.done()


@contextmanager
def serving_by_up(bed: Bed) -> Iterator[dict[str, str]]:
    """One program for all: whose client id each VM has."""
    vms = "".join(f"- {{name: {vm}, identity: {{systemAssigned: true}}, attachment: {{device: tap-{vm}}}}}\n" for vm in "ab")
    seed = HOME / "seed.yaml"
    seed.write_text(f"virtualMachines:\n{vms}")
    with bed.symbolon("up", "--ephemeral", "--no-extension", "--seed", str(seed), log=HOME / "up.log") as up:
        yield {vm["name"]: vm["identities"][0]["clientId"] for vm in up.ready["vms"]}


@contextmanager
def serving_by_host(bed: Bed) -> Iterator[dict[str, str]]:
    """A host that signs in to an authority elsewhere: whose client id each VM has."""
    host = Host(bed)
    with host.serving("device"):
        yield host.clients


def ask(guest: Network, command: list[str]) -> str:
    """The token that an SDK gets in a guest."""
    guest.assert_no_way_out()
    clean = {name: os.environ[name] for name in ("PATH", "HOME", "LANG")} | {"NODE_PATH": os.environ["COMPAT_NODE_MODULES"]}
    ended = subprocess.run([*guest.enter, *command], env=clean, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    said = ended.stdout.strip()
    if not said.startswith("{"):
        return said
    told = json.loads(said)
    assert told["error"] is None, told
    return told["token"]


main()
