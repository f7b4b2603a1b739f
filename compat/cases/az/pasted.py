"""The lines that `symbolon up` prints for `az`, pasted into a shell as they are."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from az_cli import COMMAND_SECONDS, HOME, Az

FOLDER = HOME / "pasted"
DATA = "a b"
"""A name that a shell would read as two words."""
PORTS = ["--imds=127.0.0.1:0", "--https=127.0.0.1:0", "--metrics=127.0.0.1:0", "--extension-port=0"]
HEADING = "Lead the Azure CLI here, as the admin:"
OR_ELSE = "or as the first VM, whose identity sees what roles let it:"


def lines(az: Az) -> None:
    """As the admin, then as the first VM."""
    program = FOLDER / "bin/az"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m azure.cli "$@"\n')
    program.chmod(0o755)
    with report() as said:
        admin, machine = indented_below(said, HEADING), indented_below(said, OR_ELSE)
        with az.checks.check("the lines that symbolon up prints for az, pasted into a shell: signed in as the admin"):
            secret = json.loads((FOLDER / DATA / "admin.json").read_text())["clientSecret"]
            assert secret not in "".join(said), "the secret is in the report"
            shown = paste(*admin, "az group list")
            assert [group["name"] for group in shown] == ["dev"], shown
        with az.checks.check("the line for the first VM, pasted into that shell: signed in as its identity"):
            trust, *_ = admin
            shown = paste(trust, *machine, "az account show")
            assert shown["user"]["assignedIdentityInfo"] == "MSI", shown


@contextmanager
def report() -> Iterator[list[str]]:
    """What a `symbolon up` of its own says to people, while it runs."""
    command = [os.environ["COMPAT_SYMBOLON"], "up", f"--data-dir={DATA}", *PORTS]
    env = {"PATH": os.environ["PATH"], "HOME": str(FOLDER)}
    with (FOLDER / "symbolon.log").open("w") as log:
        up = subprocess.Popen(command, env=env, cwd=FOLDER, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        said = []
        for line in up.stdout:
            said.append(line.rstrip("\n"))
            if line.startswith("ready in "):
                break
        yield said
    finally:
        up.terminate()
        up.wait()


def indented_below(said: list[str], heading: str) -> list[str]:
    """The lines that stand below a heading."""
    below = said[said.index(heading) + 1 :]
    end = next(at for at, line in enumerate(below) if not line.startswith("  "))
    return [line.strip() for line in below[:end]]


def paste(*pasted: str) -> dict | list:
    """Runs lines in a shell that has nothing but a configuration folder for `az`; the JSON that the last one prints. None of
    them may fail."""
    *before, last = pasted
    script = "\n".join(["{", *before, "} >&2", last])
    env = {
        "PATH": f"{FOLDER / 'bin'}:{os.environ['PATH']}",
        "HOME": str(FOLDER),
        "AZURE_CONFIG_DIR": str(FOLDER / "config"),
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
    }
    ended = subprocess.run(
        ["sh", "-e", "-c", script],
        env=env, cwd=FOLDER, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=5 * COMMAND_SECONDS, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, f"exit {ended.returncode}:\n{ended.stderr[-1500:]}"
    return json.loads(ended.stdout)
