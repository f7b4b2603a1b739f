"""`known-gaps.toml`: what a client can't do for a reason of its own."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from . import paths
from .results import Result


@dataclass(frozen=True)
class Gap:
    """One check that is known to fail."""

    case: str
    check: str
    reason: str


class GapsError(Exception):
    """The file can't be understood."""


def load(file: Path = paths.KNOWN_GAPS) -> list[Gap]:
    """All entries; each has exactly the three keys, none empty."""
    content = tomllib.loads(file.read_text())
    if content.keys() - {"gap"}:
        raise GapsError(f"{file}: only [[gap]] tables belong here")
    gaps = []
    for entry in content.get("gap", []):
        if entry.keys() != {"case", "check", "reason"} or not all(str(value).strip() for value in entry.values()):
            raise GapsError(f"{file}: a gap has case, check and reason: {entry}")
        gaps.append(Gap(**entry))
    return gaps


def apply(gaps: list[Gap], done: list[Result], everything: list[str]) -> list[str]:
    """Turns known failures into passes, in place, and returns what is wrong with the list itself. `everything` names
    all cases that exist: a gap of a case that wasn't chosen or was skipped can't be judged."""
    by_case = {result.case: result for result in done}
    wrong = []
    for gap in gaps:
        if gap.case not in everything:
            wrong.append(f"known gap {gap.case} / {gap.check}: no such case")
            continue
        result = by_case.get(gap.case)
        if result is None or result.skipped or result.broken:
            continue
        check = next((check for check in result.checks if check.name == gap.check), None)
        if check is None:
            wrong.append(f"known gap {gap.case} / {gap.check}: the case has no such check")
        elif check.ok:
            wrong.append(f"known gap {gap.case} / {gap.check}: it passes now, remove the entry")
        else:
            check.ok = True
            check.detail = f"known gap: {gap.reason}"
    return wrong
