"""What symbolon needs to be the host of VMs with agents of their own."""

import shutil
from pathlib import Path

from . import network, paths

ONE, TWO = "agents", "two-agents"
"""The worlds with one such VM, and with two and a scale set's."""
PLAIN = "metadata"
"""The world with one that wants no packages."""
WIRE_PORT = 8080
VERSIONS = {"packages": "1.0.0.0", "newer": "1.0.1.0"}
"""The packages that are there from the start, and those that a case adds."""


def options(seed: str, folder: Path) -> list[str]:
    """The options of `up` for a seed; the packages are copied to `folder`, since a case adds some."""
    if seed == PLAIN:
        return listeners(seed)
    if seed not in (ONE, TWO):
        return []
    for name, version in VERSIONS.items():
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
        (package,) = paths.PACKAGES.glob(f"*-{version}.zip")
        shutil.copy(package, folder / name)
    return [*listeners(seed), "--packages", str(packages(folder))]


def listeners(seed: str) -> list[str]:
    """Where the agents find their hosts. Several VMs have each an address of the host's to themselves, and one for both at
    which the authority is: `localhost` is another machine in each."""
    if seed in (ONE, PLAIN):
        return ["--wireserver", network.WIRE_ADDRESS]
    network.add_addresses(network.AUTHORITY_ADDRESS, *network.HOST_ADDRESSES.values())
    hosts = [f"--wireserver=vm={name},{address}:{WIRE_PORT}" for name, address in network.HOST_ADDRESSES.items()]
    return ["--https", f"{network.AUTHORITY_ADDRESS}:16926", *hosts]


def packages(folder: Path) -> Path:
    """Where symbolon looks for packages."""
    return folder / "packages"
