"""What symbolon needs to be the host of a VM with an agent of its own."""

import shutil
from pathlib import Path

from . import network, paths

SEED = "agents"
"""The world with such a VM."""
VERSIONS = {"packages": "1.0.0.0", "newer": "1.0.1.0"}
"""The packages that are there from the start, and those that a case adds."""


def options(seed: str, folder: Path) -> list[str]:
    """The options of `up` for a seed; the packages are copied to `folder`, since a case adds some."""
    if seed != SEED:
        return []
    for name, version in VERSIONS.items():
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
        (package,) = paths.PACKAGES.glob(f"*-{version}.zip")
        shutil.copy(package, folder / name)
    return ["--wireserver", network.WIRE_ADDRESS, "--packages", str(packages(folder))]


def packages(folder: Path) -> Path:
    """Where symbolon looks for packages."""
    return folder / "packages"
