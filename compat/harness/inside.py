"""Inside the namespace: starts symbolon once per seed and runs that seed's cases, one after the other (they count
requests, so no two may talk at once)."""

import json
import os
import shutil
import sys
from itertools import groupby
from pathlib import Path

from . import catalogue, network, paths, processes, results, symbolon, toolchains
from .catalogue import Case
from .results import Result

LOG_LINES = 60


def main(plan_file: str) -> int:
    """Runs the plan that `run.py` wrote and leaves the results beside it."""
    os.umask(0o077)
    network.prepare()
    plan = json.loads(Path(plan_file).read_text())
    wanted = set(plan["cases"])
    cases = [case for case in catalogue.load() if case.name in wanted]
    done: list[Result] = []
    by_seed = sorted(cases, key=lambda case: (case.seed, case.name))
    for seed, group in groupby(by_seed, key=lambda case: case.seed):
        done += run_seed(Path(plan["binary"]), seed, list(group))
    Path(plan["results"]).write_text(json.dumps([result.to_dict() for result in done]))
    return 0


def run_seed(binary: Path, seed: str, cases: list[Case]) -> list[Result]:
    """All cases of one seed against one symbolon. If that one fails, all its cases have."""
    folder = paths.RUN / f"seed-{seed}"
    done: list[Result] = []
    try:
        with symbolon.running(binary, seed, folder) as ready:
            world = folder / "world.json"
            world.write_text(json.dumps(ready))
            for case in cases:
                done.append(run_case(case, binary, world, folder / "symbolon.log"))
                progress(done[-1])
    except (symbolon.Faulty, OSError) as why:
        finished = {result.case for result in done}
        for case in cases:
            if case.name not in finished:
                done.append(Result(case.name, broken=str(why)))
                progress(done[-1])
        if len(finished) == len(cases):
            done[-1].broken = str(why)
    return done


def run_case(case: Case, binary: Path, world: Path, server_log: Path) -> Result:
    """One case, behind the guard."""
    network.assert_isolated()
    home = paths.RUN / case.name
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    command = [part.format_map(toolchains.PLACES | {"case": str(case.folder), "symbolon": str(binary)}) for part in case.run]
    log_from = server_log.stat().st_size
    ended = processes.run(command, env=environment(case, binary, home, world), cwd=case.folder, timeout=case.timeout)
    (home / "stdout.log").write_text(ended.stdout)
    (home / "stderr.log").write_text(ended.stderr)
    result = Result(case.name, seconds=round(ended.seconds, 2))
    try:
        if ended.status is None:
            raise ValueError(f"not done after {case.timeout} s")
        result.checks = results.read_output(case.name, ended.stdout)
        if ended.status != 0:
            raise ValueError(f"exit {ended.status}")
    except (ValueError, KeyError, TypeError) as why:
        result.broken = str(why)
    if result.verdict() == "failed":
        with server_log.open(errors="replace") as file:
            file.seek(log_from)
            server_lines = file.read()
        result.log = "\n".join(
            f"--- {title}\n{tail(text)}"
            for title, text in (("stdout", ended.stdout), ("stderr", ended.stderr), ("symbolon", server_lines))
            if text.strip()
        )
    return result


def environment(case: Case, binary: Path, home: Path, world: Path) -> dict[str, str]:
    """A clean environment: nothing of the machine's own can lead a client elsewhere."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(paths.LIB),
        "PYTHONDONTWRITEBYTECODE": "1",
        "COMPAT_WORLD": str(world),
        "COMPAT_SYMBOLON": str(binary),
        "COMPAT_NODE_MODULES": str(paths.NODE / "node_modules"),
        **case.env,
    }


def progress(result: Result) -> None:
    """One line as a case ends, on standard error."""
    print(f"{result.verdict():8}{result.case}  {result.seconds:.1f} s", file=sys.stderr, flush=True)


def tail(text: str) -> str:
    """The last lines, which say why."""
    return "\n".join(text.splitlines()[-LOG_LINES:])
