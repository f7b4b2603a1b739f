"""The cases: one folder each under `cases/`, described by its `case.toml`."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from . import paths

KEYS = {"describes", "needs", "run", "seed", "env", "timeout", "long"}


@dataclass(frozen=True)
class Case:
    """One client, and how to run it."""

    name: str
    folder: Path
    describes: str
    needs: tuple[str, ...]
    """Names of the toolchains (see `toolchains.py`) without which it can't run."""
    run: tuple[str, ...]
    """The command; `{name}` stands for a path of `toolchains.PLACES`."""
    seed: str
    """Which file of `seeds/` symbolon starts with."""
    env: dict[str, str] = field(default_factory=dict)
    timeout: int = 120
    """Seconds until it is ended and counted as failed."""
    long: bool = False
    """Whether it takes minutes of a client's own waiting: it is run with `--long`, or when it is named."""


class CatalogueError(Exception):
    """A case can't be understood."""


def load(folder: Path = paths.CASES) -> list[Case]:
    """All cases, by name."""
    return [read(file) for file in sorted(folder.glob("*/case.toml"))]


def read(file: Path) -> Case:
    """One `case.toml`."""
    text = tomllib.loads(file.read_text())
    unknown = text.keys() - KEYS
    if unknown:
        raise CatalogueError(f"{file}: unknown keys {sorted(unknown)}; known are {sorted(KEYS)}")
    try:
        case = Case(
            name=file.parent.name,
            folder=file.parent,
            describes=text["describes"],
            needs=tuple(text.get("needs", [])),
            run=tuple(text["run"]),
            seed=text.get("seed", "workload"),
            env=dict(text.get("env", {})),
            timeout=text.get("timeout", 120),
            long=text.get("long", False),
        )
    except KeyError as missing:
        raise CatalogueError(f"{file}: the key {missing} is missing") from missing
    if not (paths.SEEDS / f"{case.seed}.yaml").is_file():
        raise CatalogueError(f"{file}: there is no seeds/{case.seed}.yaml")
    return case


def choose(cases: list[Case], only: list[str]) -> list[Case]:
    """Those named by `--only`, or all: by their whole name, or by a part that is nobody's name. A name that fits no case
    is an error, never an empty run."""
    if not only:
        return cases
    exact = {case.name for case in cases}
    fits = lambda word, case: word == case.name if word in exact else word in case.name  # noqa: E731
    chosen = [case for case in cases if any(fits(word, case) for word in only)]
    for word in only:
        if not any(word in case.name for case in cases):
            raise CatalogueError(f"no case is named like '{word}'; `--list` shows them")
    return chosen
