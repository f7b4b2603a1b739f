"""What a case says, and what we make of it."""

import json
from dataclasses import asdict, dataclass, field


@dataclass
class Check:
    """One thing that a case looked at."""

    name: str
    ok: bool
    detail: str = ""


@dataclass
class Result:
    """One case, run or skipped."""

    case: str
    checks: list[Check] = field(default_factory=list)
    seconds: float = 0.0
    skipped: str | None = None
    """Why it wasn't run."""
    broken: str | None = None
    """Why it gave no result of its own: it crashed, took too long, or couldn't be installed."""
    log: str = ""

    def verdict(self) -> str:
        """`skipped`, `failed` or `passed`. A case without checks has failed: it proved nothing."""
        if self.skipped:
            return "skipped"
        if self.broken or not self.checks or not all(check.ok for check in self.checks):
            return "failed"
        return "passed"

    def to_dict(self) -> dict:
        """For `--json` and for the way out of the namespace."""
        return asdict(self) | {"verdict": self.verdict()}


def from_dict(value: dict) -> Result:
    """The inverse of `to_dict`."""
    fields = {key: item for key, item in value.items() if key not in ("checks", "verdict")}
    return Result(**fields, checks=[Check(**check) for check in value["checks"]])


def read_output(case: str, stdout: str) -> list[Check]:
    """The checks in a case's last line of output: `{"checks":[{"name","ok","detail"}]}`."""
    lines = [line for line in stdout.splitlines() if line.strip()]
    if not lines:
        raise ValueError("it printed nothing")
    value = json.loads(lines[-1])
    checks = [Check(str(item["name"]), item["ok"] is True, str(item.get("detail", ""))) for item in value["checks"]]
    names = [check.name for check in checks]
    if len(set(names)) != len(names):
        raise ValueError(f"{case} has two checks of one name: {names}")
    return checks
