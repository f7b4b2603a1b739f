"""Where things lie. Everything made at run time is under `.work/`, which git ignores."""

from pathlib import Path

COMPAT = Path(__file__).resolve().parent.parent
REPOSITORY = COMPAT.parent
CASES = COMPAT / "cases"
LIB = COMPAT / "lib"
SEEDS = COMPAT / "seeds"
TOOLCHAINS = COMPAT / "toolchains"
KNOWN_GAPS = COMPAT / "known-gaps.toml"

WORK = COMPAT / ".work"
VENV = WORK / "python"
AZ = WORK / "az"
AZ_2_45 = WORK / "az-2.45"
PYTHON_ARM = WORK / "python-arm"
NODE = WORK / "node"
MSAL_SDIST = WORK / "msal-sdist"
DEBIAN = WORK / "debian"
WAAGENT = WORK / "waagent"
CLOUD_INIT = WORK / "cloud-init"
PACKAGES = WORK / "packages"
MIGRATE_TREES = WORK / "migrate-trees"
BUILDS = WORK / "builds"
STAMPS = WORK / "stamps"
LOGS = WORK / "logs"
RUN = WORK / "run"
