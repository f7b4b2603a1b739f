"""Starts and ends processes. Each gets a process group of its own and is ended by that group's id only."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    status: int | None
    """Exit status, or None when it took too long and was ended."""
    seconds: float
    stdout: str
    stderr: str


def run(command: list[str], *, env: Mapping[str, str], cwd: Path, timeout: float) -> Ended:
    """Runs a command to its end, or to `timeout` seconds."""
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=timeout)
        status = process.returncode
    except subprocess.TimeoutExpired:
        end_group(process)
        stdout, stderr = process.communicate()
        status = None
    finally:
        end_group(process)
    return Ended(status, time.monotonic() - started, stdout, stderr)


def end_group(process: subprocess.Popen) -> None:
    """Kills what is left of a process's group."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
