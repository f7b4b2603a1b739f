"""A `symbolon up` for the cases of one seed."""

import json
import os
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from . import agents, application, network, paths, processes

READY_SECONDS = 30
STOP_SECONDS = 10


class Faulty(Exception):
    """symbolon didn't start, or didn't end well."""


@contextmanager
def running(binary: Path, seed: str, folder: Path) -> Iterator[dict]:
    """Starts symbolon with a seed on the metadata address and yields its ready line; stops it afterwards."""
    network.assert_isolated()
    folder.mkdir(parents=True, exist_ok=True)
    seed_file = folder / f"{seed}.yaml"
    shutil.copyfile(paths.SEEDS / f"{seed}.yaml", seed_file)
    credentials = application.make(folder) if seed in application.SEEDS else None
    log = folder / "symbolon.log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [*command(binary, seed_file), *agents.options(seed, folder)],
            env=environment(folder, credentials),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
        )
    try:
        ready = read_ready_line(process, log)
        ready["credentials"] = credentials
        ready["packages"] = str(agents.packages(folder))
        yield ready
        if process.poll() is not None:
            raise Faulty(f"symbolon ended with {process.returncode} while cases ran; its log:\n{log.read_text()}")
        status = stop(process)
        if status != 0:
            raise Faulty(f"asked to end, symbolon ended with {status} instead of 0; its log:\n{log.read_text()}")
    finally:
        stop(process)


def command(binary: Path, seed_file: Path) -> list[str]:
    """The command line; fixed ports are fine, the namespace has nobody else in it."""
    imds = f"{network.METADATA_ADDRESS}:80"
    return [str(binary), "up", "--ephemeral", "--json", "--imds", imds, "--seed", str(seed_file)]


def environment(folder: Path, credentials: Mapping[str, str] | None) -> dict[str, str]:
    """Only what it needs."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8"}
    if credentials:
        env["COMPAT_APPLICATION_SECRET"] = credentials["secret"]
    return env


def read_ready_line(process: subprocess.Popen, log: Path) -> dict:
    """The one line of JSON on standard output."""
    deadline = time.monotonic() + READY_SECONDS
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise Faulty(f"symbolon wasn't ready after {READY_SECONDS} s; its log:\n{log.read_text()}")
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                raise Faulty(f"symbolon ended with {process.wait()}; its log:\n{log.read_text()}")
            line += chunk
    try:
        return json.loads(line)
    except json.JSONDecodeError as why:
        raise Faulty(f"the ready line isn't JSON ({why}): {line[:2000]!r}") from why


def stop(process: subprocess.Popen) -> int:
    """Asks it to end, as an operator would; insists after a while. How it ended."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
    processes.end_group(process)
    status = process.wait()
    process.stdout.close()
    return status
