#!/usr/bin/env python3
"""Runs real clients against symbolon: `python3 compat/run.py [--only NAME] [--long] [--list] [--binary PATH] [--json]`.

Installs the clients (in `compat/.work/`), makes a network namespace of its own, starts `symbolon up` in it and
runs every case there. Exit 0 when all passed or were skipped, 1 when something failed, 2 for a wrong call.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from harness import catalogue, gaps, inside, network, paths, summary, toolchains
from harness.catalogue import Case
from harness.results import Result, from_dict


LONG = "it takes minutes; `cargo xtask test --long` runs it, and so does `cargo xtask compat --only NAME`"
"""Why a long case is skipped."""


def main() -> int:
    """Reads the arguments and does what they say."""
    options = arguments()
    if options.inside:
        return inside.main(options.inside)
    end_well_when_told()
    try:
        everything = catalogue.load()
        cases = catalogue.choose(everything, options.only)
        known = gaps.load()
    except (catalogue.CatalogueError, gaps.GapsError) as why:
        print(f"compat: {why}", file=sys.stderr)
        return 2
    if options.list:
        width = max(len(case.name) for case in cases)
        print("\n".join(f"{case.name:{width}}  {case.describes}" for case in cases))
        return 0
    binary = Path(options.binary).resolve()
    if not binary.is_file():
        print(f"compat: there is no {binary}; `cargo build -p symbolon` makes it", file=sys.stderr)
        return 2
    done, installs = run(cases, binary, long=options.long or bool(options.only))
    wrong = gaps.apply(known, done, [case.name for case in everything])
    print(summary.text(done, installs, wrong), file=sys.stderr if options.json else sys.stdout)
    if options.json:
        print(json.dumps({"cases": [result.to_dict() for result in done], "wrongGaps": wrong}))
    return 1 if wrong or any(result.verdict() == "failed" for result in done) else 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Real clients against symbolon.")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="cases whose name contains NAME")
    parser.add_argument("--long", action="store_true", help="the cases that take minutes too")
    parser.add_argument("--list", action="store_true", help="show the cases and end")
    parser.add_argument("--binary", default=str(paths.REPOSITORY / "target/debug/symbolon"), help="the symbolon to test")
    parser.add_argument("--json", action="store_true", help="print the results as JSON on standard output")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    return parser.parse_args()


def end_well_when_told() -> None:
    """A signal becomes an exception, so that `subprocess` kills the child, and the namespace with it."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: sys.exit(128 + received))


def run(cases: list[Case], binary: Path, *, long: bool) -> tuple[list[Result], dict[str, float]]:
    """Installs what the cases need and runs them; results in the order of the cases."""
    impossible = network.why_impossible()
    if impossible:
        print(f"compat: ALL CASES SKIPPED: {impossible}", file=sys.stderr)
        return [Result(case.name, skipped=impossible) for case in cases], {}
    done = {} if long else {case.name: Result(case.name, skipped=LONG) for case in cases if case.long}
    wanted = [case for case in cases if case.name not in done]
    installs, obstacles = install(wanted) if wanted else ({}, {})
    for case in cases:
        for name in ("python", *case.needs):
            if name in obstacles and case.name not in done:
                done[case.name] = obstacles[name](case.name)
    runnable = [case for case in cases if case.name not in done]
    if runnable:
        done |= {result.case: result for result in run_inside(runnable, binary)}
    return [done[case.name] for case in cases], installs


def install(cases: list[Case]):
    """One install after the other. A missing toolchain skips its cases, a failed install fails them
    unless the toolchain is optional."""
    installs, obstacles = {}, {}
    for name in toolchains.needed(cases):
        missing = toolchains.missing_programs(name)
        if missing:
            why = f"no {' and no '.join(missing)} on PATH; install {toolchains.TOOLCHAINS[name].install}"
            print(f"SKIPPED {name}: {why}", file=sys.stderr)
            obstacles[name] = lambda case, why=why: Result(case, skipped=why)
            continue
        try:
            installs[name] = toolchains.install(name)
        except (toolchains.InstallFailed, OSError) as why:
            if toolchains.TOOLCHAINS[name].optional:
                print(f"SKIPPED {name}: it can't be had here: {why}", file=sys.stderr)
                obstacles[name] = lambda case, name=name: Result(case, skipped=f"{name} can't be had here")
                continue
            print(f"compat: installing {name} failed", file=sys.stderr)
            obstacles[name] = lambda case, why=why: Result(case, broken=f"install failed: {why}")
    return installs, obstacles


def run_inside(cases: list[Case], binary: Path) -> list[Result]:
    """Starts this program again in its namespace and reads what it found."""
    shutil.rmtree(paths.RUN, ignore_errors=True)
    paths.RUN.mkdir(parents=True)
    copy_node_cases(cases)
    plan, results = paths.RUN / "plan.json", paths.RUN / "results.json"
    plan.write_text(json.dumps({"cases": [case.name for case in cases], "binary": str(binary), "results": str(results)}))
    command = network.enter_command([sys.executable, "-B", str(paths.COMPAT / "run.py"), "--inside", str(plan)])
    ended = subprocess.run(command, env=os.environ | network.parent_environment(), stdout=sys.stderr, check=False)
    if ended.returncode != 0 or not results.exists():
        return [Result(case.name, broken=f"the run in the namespace ended with {ended.returncode}") for case in cases]
    return [from_dict(value) for value in json.loads(results.read_text())]


def copy_node_cases(cases: list[Case]) -> None:
    """Node looks for packages beside the importing file, so its programs run from a copy beside node_modules."""
    if any("node" in case.needs for case in cases):
        target = paths.NODE / "cases"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(paths.CASES, target, ignore=lambda folder, names: [n for n in names if not is_node(folder, n)])
        for file in paths.LIB.glob("*.mjs"):
            shutil.copy(file, target)


def is_node(folder: str, name: str) -> bool:
    """Whether a file of the cases is for Node, or a folder that may hold such files."""
    return name.endswith(".mjs") or (Path(folder, name).is_dir() and name.startswith("node"))


if __name__ == "__main__":
    sys.exit(main())
