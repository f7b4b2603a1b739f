"""Installs the clients, outside the namespace (registries need the network), into `.work/`. What is installed is
decided by committed lock files; a stamp with their hash makes the second run quick."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import paths
from .catalogue import Case

INSTALL_SECONDS = 600


class InstallFailed(Exception):
    """A client couldn't be installed or built."""


@dataclass(frozen=True)
class Toolchain:
    """One way of getting clients: an ecosystem."""

    programs: tuple[str, ...]
    """What the machine must already have."""
    install: str
    """What to install when it hasn't."""
    inputs: tuple[Path, ...]
    """Files and folders that decide the result."""
    steps: Callable[[], list[tuple[Path, list[str]]]]
    """Commands with their working directories."""
    result: Path | None
    """What must exist afterwards."""
    clean: bool = True
    """Whether an old result goes first."""
    optional: bool = False
    """Whether an install that fails skips its cases. For what no registry of its own has to have."""


def venv_steps(venv: Path, *, check: bool = True) -> list[tuple[Path, list[str]]]:
    """A virtual environment with the packages pinned in the folder of its name, and whether they fit each other."""
    pip = [str(venv / "bin/python"), "-m", "pip", "--disable-pip-version-check"]
    requirements = str(paths.TOOLCHAINS / venv.name / "requirements.txt")
    return [
        (paths.WORK, [sys.executable, "-m", "venv", str(venv)]),
        (paths.WORK, [*pip, "install", "--quiet", "--no-deps", "--requirement", requirements]),
        *([(paths.WORK, [*pip, "check"])] if check else []),
    ]


def venv_toolchain(venv: Path, *, check: bool = True) -> "Toolchain":
    """A toolchain that is such an environment."""
    inputs = (paths.TOOLCHAINS / venv.name / "requirements.txt",)
    return Toolchain(*PYTHON, inputs, lambda: venv_steps(venv, check=check), venv)


def msal_sdist_steps() -> list[tuple[Path, list[str]]]:
    """The source package of msal, unpacked; its tests are run as they are."""
    downloads = paths.MSAL_SDIST / "download"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    requirement = ["--requirement", str(paths.TOOLCHAINS / "python/msal-sdist.txt")]
    unpack = (
        "import pathlib, sys, tarfile; folder = pathlib.Path(sys.argv[1]); (archive,) = folder.glob('download/*.tar.gz'); "
        "tarfile.open(archive).extractall(folder, filter='data'); (top,) = folder.glob('msal-*'); "
        "top.rename(folder / 'source')"
    )
    return [
        (paths.WORK, [*pip, "--no-deps", "--no-binary", ":all:", "--dest", str(downloads), *requirement]),
        (paths.WORK, [sys.executable, "-c", unpack, str(paths.MSAL_SDIST)]),
    ]


def node_steps() -> list[tuple[Path, list[str]]]:
    """The packages of package-lock.json, without their install scripts."""
    return [(paths.NODE, ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress"])]


def go_steps() -> list[tuple[Path, list[str]]]:
    """One program, built against go.sum."""
    return [(paths.CASES / "go-azidentity", ["go", "build", "-mod=readonly", "-o", str(paths.BUILDS / "go-azidentity"), "."])]


def rust_steps() -> list[tuple[Path, list[str]]]:
    """One program with its own lock file, outside the project's workspace."""
    target = str(paths.BUILDS / "rust")
    return [(paths.CASES / "rust-azure-identity", ["cargo", "build", "--locked", "--quiet", "--target-dir", target])]


def java_steps() -> list[tuple[Path, list[str]]]:
    """Classes and the jars they need."""
    local = f"-Dmaven.repo.local={paths.WORK / 'maven'}"
    build = f"-Dcompat.build={paths.BUILDS / 'java'}"
    return [(paths.CASES / "java-azure-identity", ["mvn", "--batch-mode", "--quiet", local, build, "compile"])]


def debian_steps() -> list[tuple[Path, list[str]]]:
    """The proxies of this Debian with the libraries that they need, unpacked and not installed."""
    script = """
        libraries() {
            apt-cache depends --no-pre-depends --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \\
                --no-enhances "$@" | sed -n 's/^  Depends: \\(lib.*\\)$/\\1/p' | grep -vx libc6
        }
        set -e
        mkdir -p packages && cd packages
        first=$(libraries nginx haproxy)
        apt-get --quiet download nginx haproxy $first $(libraries $first)
        for package in *.deb; do dpkg -x "$package" ..; done
    """
    return [(paths.WORK, ["mkdir", "-p", str(paths.DEBIAN)]), (paths.DEBIAN, ["sh", "-c", script])]


def waagent_steps() -> list[tuple[Path, list[str]]]:
    """Azure's agent as this Debian has it, unpacked and not installed."""
    script = "mkdir -p packages && cd packages && apt-get --quiet download waagent python3-distro && " \
        "for package in *.deb; do dpkg -x \"$package\" ..; done"  # fmt: skip
    return [(paths.WORK, ["mkdir", "-p", str(paths.WAAGENT)]), (paths.WAAGENT, ["sh", "-c", script])]


def cloud_init_steps() -> list[tuple[Path, list[str]]]:
    """cloud-init as this Debian has it, with the Python packages that its datasources import; nothing is installed."""
    needs = ("configobj", "jinja2", "markupsafe", "jsonpatch", "json-pointer", "oauthlib", "requests", "urllib3", "idna",
             "chardet", "certifi", "yaml", "six")  # fmt: skip
    packages = " ".join(["cloud-init", *(f"python3-{name}" for name in needs)])
    script = f"mkdir -p packages && cd packages && apt-get --quiet download {packages} && " \
        "for package in *.deb; do dpkg -x \"$package\" ..; done"  # fmt: skip
    return [(paths.WORK, ["mkdir", "-p", str(paths.CLOUD_INIT)]), (paths.CLOUD_INIT, ["sh", "-c", script])]


def migrate_trees_steps() -> list[tuple[Path, list[str]]]:
    """Whole trees of old and new libraries, unpacked and not installed."""
    lists = paths.TOOLCHAINS / "migrate-trees"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    download = lambda form, name: [*pip, form, ":all:", "--requirement", str(lists / name)]  # noqa: E731
    unpack = (
        "import pathlib, shutil\n"
        "for archive in pathlib.Path('packages').iterdir():\n"
        "    form = 'gztar' if archive.suffix in ('.gz', '.tgz') else 'zip'\n"
        "    shutil.unpack_archive(archive, pathlib.Path('trees') / archive.name, form)\n"
    )
    packages = paths.MIGRATE_TREES / "packages"
    return [
        (paths.WORK, ["mkdir", "-p", str(packages)]),
        (packages, download("--no-binary", "sdists.txt")),
        (packages, download("--only-binary", "wheels.txt")),
        (packages, download("--only-binary", "wheels-later.txt")),
        (packages, ["npm", "pack", "--silent", *(lists / "npm.txt").read_text().split()]),
        (paths.MIGRATE_TREES, [sys.executable, "-c", unpack]),
    ]


def package_steps() -> list[tuple[Path, list[str]]]:
    """Two versions of the extension's package."""
    xtask = ["cargo", "xtask", "package-extension", "--profile", "dev", "--out", str(paths.PACKAGES)]
    return [(paths.REPOSITORY, [*xtask, "--version", version]) for version in ("1.0.0.0", "1.0.1.0")]


PYTHON = ("python3",), "Python 3.11 or newer"
PACKAGES = paths.TOOLCHAINS / "python"
GO, RUST, JAVA = (paths.CASES / case for case in ("go-azidentity", "rust-azure-identity", "java-azure-identity"))

PACKAGED = tuple(paths.REPOSITORY / "crates" / name / "src" for name in ("broker", "contract", "domain", "envelope", "guest", "listen"))

TOOLCHAINS = {
    "python": venv_toolchain(paths.VENV),
    "az": venv_toolchain(paths.AZ),
    "az-2.45": venv_toolchain(paths.AZ_2_45, check=False),
    "python-arm": venv_toolchain(paths.PYTHON_ARM),
    "msal-sdist": Toolchain(*PYTHON, (PACKAGES / "msal-sdist.txt",), msal_sdist_steps, paths.MSAL_SDIST),
    "node": Toolchain(
        ("node", "npm"), "Node.js 20 or newer with npm", (paths.TOOLCHAINS / "node",), node_steps, paths.NODE
    ),
    "go": Toolchain(
        ("go",), "Go 1.25 or newer", (GO,), go_steps, paths.BUILDS / "go-azidentity", clean=False
    ),
    "rust": Toolchain(
        ("cargo",), "Rust with cargo", (RUST,), rust_steps, paths.BUILDS / "rust", clean=False
    ),
    "java": Toolchain(
        ("java", "mvn"), "a JDK 17 or newer and Apache Maven", (JAVA,), java_steps, paths.BUILDS / "java", clean=False
    ),
    "curl": Toolchain(("curl",), "curl", (), list, None),
    "waagent": Toolchain(
        ("apt-get", "dpkg", "openssl", "nsenter"), "Debian, or a system made from it", (), waagent_steps, paths.WAAGENT,
        optional=True,
    ),
    "cloud-init": Toolchain(
        ("apt-get", "dpkg"), "Debian, or a system made from it", (), cloud_init_steps, paths.CLOUD_INIT, optional=True
    ),
    "migrate-trees": Toolchain(
        ("python3", "npm"), "Python 3.11 or newer, and Node.js with npm", (paths.TOOLCHAINS / "migrate-trees",),
        migrate_trees_steps, paths.MIGRATE_TREES,
    ),
    "extension-packages": Toolchain(("cargo",), "Rust with cargo", PACKAGED, package_steps, paths.PACKAGES),
    "debian-proxies": Toolchain(
        ("apt-get", "apt-cache", "dpkg"), "Debian, or a system made from it", (), debian_steps, paths.DEBIAN, optional=True
    ),
}

PLACES = {
    "python": str(paths.VENV / "bin/python"),
    "az_python": str(paths.AZ / "bin/python"),
    "az_2_45_python": str(paths.AZ_2_45 / "bin/python"),
    "arm_python": str(paths.PYTHON_ARM / "bin/python"),
    "node": shutil.which("node") or "node",
    "node_cases": str(paths.NODE / "cases"),
    "builds": str(paths.BUILDS),
    "msal_sdist": str(paths.MSAL_SDIST),
    "debian_proxies": str(paths.DEBIAN),
    "waagent": str(paths.WAAGENT),
    "cloud_init": str(paths.CLOUD_INIT),
    "packages": str(paths.PACKAGES),
    "migrate_trees": str(paths.MIGRATE_TREES / "trees"),
    "lib": str(paths.LIB),
}
"""What `{name}` in a case's command stands for."""


def needed(cases: list[Case]) -> list[str]:
    """Toolchains that the chosen cases need, in the order of the table; Python always, for the certificates."""
    wanted = {name for case in cases for name in case.needs} | {"python"}
    unknown = wanted - TOOLCHAINS.keys()
    if unknown:
        raise InstallFailed(f"cases need unknown toolchains {sorted(unknown)}")
    return [name for name in TOOLCHAINS if name in wanted]


def missing_programs(name: str) -> list[str]:
    """What the machine lacks for a toolchain."""
    return [program for program in TOOLCHAINS[name].programs if shutil.which(program) is None]


def install(name: str) -> float:
    """Installs one toolchain unless its stamp fits; the seconds it took."""
    toolchain = TOOLCHAINS[name]
    stamp = paths.STAMPS / name
    fingerprint = hash_of(toolchain.inputs)
    if toolchain.result is None:
        return 0.0
    if toolchain.result.exists() and stamp.exists() and stamp.read_text() == fingerprint:
        return 0.0
    started = time.monotonic()
    stamp.unlink(missing_ok=True)
    if toolchain.clean:
        shutil.rmtree(toolchain.result, ignore_errors=True)
    for folder in (paths.WORK, paths.STAMPS, paths.LOGS, paths.BUILDS):
        folder.mkdir(parents=True, exist_ok=True)
    if name == "node":
        shutil.copytree(paths.TOOLCHAINS / "node", paths.NODE)
    log = paths.LOGS / f"install-{name}.log"
    with log.open("w") as output:
        for folder, command in toolchain.steps():
            run_step(name, folder, command, output, log)
    if not toolchain.result.exists():
        raise InstallFailed(f"{name}: {toolchain.result} wasn't made; see {log}")
    stamp.write_text(fingerprint)
    return time.monotonic() - started


def run_step(name: str, folder: Path, command: list[str], output, log: Path) -> None:
    """One command of an install, with its output in the log."""
    output.write(f"$ {' '.join(command)}\n")
    output.flush()
    try:
        ended = subprocess.run(
            command, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            timeout=INSTALL_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as why:
        raise InstallFailed(f"{name}: not done after {INSTALL_SECONDS} s: {' '.join(command)}") from why
    if ended.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-40:])
        raise InstallFailed(f"{name}: exit {ended.returncode}\n{tail}")


def environment() -> dict[str, str]:
    """The machine's own (it knows its mirrors), without what a surrounding cargo says about this workspace."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("CARGO_PKG", "CARGO_MANIFEST"))}
    for name in ("RUSTFLAGS", "CARGO_TARGET_DIR", "PYTHONPATH", "NODE_PATH", "VIRTUAL_ENV"):
        inherited.pop(name, None)
    return inherited | {"GOTOOLCHAIN": "local"}


def hash_of(inputs: tuple[Path, ...]) -> str:
    """A hash of all input files, by name and content."""
    digest = hashlib.sha256(sys.version.encode())
    for path in inputs:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(paths.REPOSITORY)}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()
