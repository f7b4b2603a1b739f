"""The isolated network. The well-known address may belong to a real metadata service, so no client ever starts
outside a network namespace of our own in which that address is ours and nothing leads out."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

METADATA_ADDRESS = "169.254.169.254"
WIRE_ADDRESS = "168.63.129.16"
"""Where guest agents look for their host."""
AUTHORITY_ADDRESS = "10.99.0.1"
HOST_ADDRESSES = {"one": "10.99.1.1", "two": "10.99.2.1", "web_0": "10.99.3.1", "web_1": "10.99.4.1"}
"""Where guests with a network of their own find the authority and, by the VM's name, their host. The last two are a scale
set's, which a case makes."""
PARENT_VARIABLE = "COMPAT_PARENT_NETWORK"
ENTER = ["unshare", "-Urn", "--pid", "--fork", "--kill-child", "--"]
"""New user, network and process namespaces. The last one so that nothing outlives the run, however that ends: when its
first process dies, the kernel kills the others."""


class NotIsolated(Exception):
    """A client was about to start where it could reach something real."""


def why_impossible() -> str | None:
    """Why this machine can't make a namespace, or None when it can."""
    for tool in ("unshare", "ip"):
        if shutil.which(tool) is None:
            return f"`{tool}` isn't installed (Debian: util-linux, iproute2)"
    attempt = enter_command(["ip", "link", "set", "lo", "up"])
    tried = subprocess.run(attempt, capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        return f"`{' '.join(attempt)}` isn't allowed here: {tried.stderr.strip()}"
    return None


def enter_command(command: list[str]) -> list[str]:
    """`command`, to be run in namespaces of its own that end with it."""
    return [*ENTER, *command]


def parent_environment() -> dict[str, str]:
    """What the inside needs to know to tell itself from the outside."""
    return {PARENT_VARIABLE: network_of("self")}


def prepare() -> None:
    """Brings up the namespace's own `lo` and gives it the metadata address. Refuses to touch any other."""
    assert_not_parent()
    assert_only_loopback()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    add_addresses(METADATA_ADDRESS, WIRE_ADDRESS)
    assert_isolated()


def add_addresses(*addresses: str) -> None:
    """Gives the namespace's own `lo` addresses. One that it has already is no error."""
    assert_not_parent()
    for address in addresses:
        subprocess.run(["ip", "address", "replace", f"{address}/32", "dev", "lo"], check=True)


def assert_isolated() -> None:
    """The guard in front of every client. Sends nothing: it only looks."""
    assert_not_parent()
    assert_only_loopback()
    routes = Path("/proc/self/net/route").read_text().splitlines()[1:]
    if routes:
        raise NotIsolated(f"the namespace has routes: {routes}")
    for address in (METADATA_ADDRESS, WIRE_ADDRESS):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((address, 0))
            except OSError as why:
                raise NotIsolated(f"{address} isn't an address of this namespace: {why}") from why


def assert_not_parent() -> None:
    """The namespace isn't the one the harness was started in, nor that of process 1."""
    here = network_of("self")
    parent = os.environ.get(PARENT_VARIABLE)
    if not parent:
        raise NotIsolated("started by hand: run `python3 compat/run.py`, which makes the namespace")
    if here in (parent, network_of("1")):
        raise NotIsolated("this is the machine's own network, not a namespace of ours")


def assert_only_loopback() -> None:
    """No interface but `lo`, so nothing can leave."""
    names = [name for _, name in socket.if_nameindex()]
    if names != ["lo"]:
        raise NotIsolated(f"the namespace has interfaces besides lo: {names}")


def network_of(process: str) -> str | None:
    """The id of a process's network namespace, or None when we may not look (it is then another user's)."""
    try:
        return os.readlink(f"/proc/{process}/ns/net")
    except OSError:
        return None
