"""Programs of Debian's packages, unpacked and not installed."""

import os
from pathlib import Path


def environment(root: Path) -> dict[str, str]:
    """The environment in which a program below `root` finds its libraries and its fonts."""
    folders = {library.parent for library in root.glob("**/lib/**/*.so*")}
    libraries = [str(folder) for folder in sorted(folders) if folder.name.endswith(("-linux-gnu", "pulseaudio", "chromium"))]
    return os.environ | {"LD_LIBRARY_PATH": ":".join(libraries), "FONTCONFIG_PATH": str(root / "etc/fonts")}
