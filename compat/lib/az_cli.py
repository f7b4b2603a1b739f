"""Runs `az` as its users do: one process for each command, with a configuration of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import world
from checks import Checks

HOME = Path(os.environ["HOME"])
COMMAND_SECONDS = 60
AZ = ["unshare", "--mount", "--mount-proc", "--", sys.executable, "-m", "azure.cli"]
"""`az deployment` looks its parent process up by number, so `/proc` must tell of the namespace that it runs in."""


class Az:
    """A configuration folder and the checks that its commands become."""

    def __init__(self, checks: Checks, name: str = "config", **env: str) -> None:
        self.checks = checks
        self.env = os.environ | {
            "AZURE_CONFIG_DIR": str(HOME / name),
            "REQUESTS_CA_BUNDLE": world.READY["caFile"],
            "SSL_CERT_FILE": world.READY["caFile"],
            "AZURE_CORE_COLLECT_TELEMETRY": "no",
            "AZURE_CORE_SURVEY_MESSAGE": "no",
            "AZURE_CORE_NO_COLOR": "true",
            "AZURE_POD_IDENTITY_AUTHORITY_HOST": world.READY["imds"],
            "PYTHONWARNINGS": "ignore",
            **env,
        }

    def run(self, *words: str, code: int = 0, says: str = "") -> Any:
        """Runs a command; the JSON it prints. It must end with `code` and say `says` somewhere."""
        ended = subprocess.run(
            [*AZ, *words],
            env=self.env, cwd=HOME, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=COMMAND_SECONDS, check=False,
        )  # fmt: skip
        told = f"{ended.stdout}\n{ended.stderr}"
        assert ended.returncode == code, f"exit {ended.returncode} instead of {code}:\n{told[-1500:]}"
        assert says in told, f"'{says}' isn't in:\n{told[-1500:]}"
        try:
            return json.loads(ended.stdout) if ended.stdout.strip() else None
        except json.JSONDecodeError:
            return ended.stdout.strip()

    def start(self, *words: str) -> subprocess.Popen:
        """Starts a command that waits for somebody. Who starts it ends it."""
        return subprocess.Popen(
            [*AZ, *words],
            env=self.env, cwd=HOME, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __call__(
        self, line: str, *more: str, code: int = 0, says: str = "", look: Callable | None = None, name: str = ""
    ) -> Any:
        """One check: `line` is split at blanks, `more` are further words that may hold some. `look` is given what the
        command printed and must find it true."""
        said = None
        with self.checks.check(name or shown(line, more)):
            said = self.run(*line.split(), *more, code=code, says=says)
            if look is not None:
                assert look(said), f"unexpected: {json.dumps(said)[:1500]}"
        return said


def shown(line: str, more: tuple[str, ...]) -> str:
    """The command as a name: without what differs from run to run, and without secrets."""
    text = " ".join(["az", line, *more])
    for known, word in (
        (world.READY["arm"], "ARM"),
        (world.READY["subscriptionId"], "SUB"),
        (world.READY["tenantId"], "TENANT"),
        (world.READY["admin"]["clientSecret"], "SECRET"),
        (str(HOME), "HOME"),
    ):
        text = text.replace(known, word)
    return text
