"""What the user reads at the end."""

from .results import Result


def text(done: list[Result], installs: dict[str, float], wrong_gaps: list[str]) -> str:
    """Failed cases with their logs, the table, the totals."""
    lines: list[str] = []
    for result in done:
        if result.verdict() == "failed":
            lines += failure(result)
    if any(seconds > 0 for seconds in installs.values()):
        lines.append("installed: " + ", ".join(f"{name} {seconds:.0f} s" for name, seconds in installs.items()))
    width = max((len(result.case) for result in done), default=4)
    lines.append(f"{'case':{width}}  verdict  checks  seconds")
    for result in done:
        passed = sum(check.ok for check in result.checks)
        note = f"  {result.skipped}" if result.skipped else ""
        count = f"{passed}/{len(result.checks)}"
        lines.append(f"{result.case:{width}}  {result.verdict():7}  {count:>6}  {result.seconds:7.1f}{note}")
        lines += [f"{'':{width}}    {check.name}: {check.detail}" for check in result.checks if is_gap(check)]
    lines += [f"FAILED: {line}" for line in wrong_gaps]
    lines.append(totals(done))
    return "\n".join(lines)


def totals(done: list[Result]) -> str:
    """The last line."""
    verdicts = [result.verdict() for result in done]
    return ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in ("passed", "failed", "skipped"))


def is_gap(check) -> bool:
    """Whether a check passes only because it is a known gap."""
    return check.ok and check.detail.startswith("known gap: ")


def failure(result: Result) -> list[str]:
    """Everything known about one failed case."""
    lines = [f"=== {result.case}"]
    if result.broken:
        lines.append(result.broken)
    lines += [f"failed check: {check.name}\n{check.detail}" for check in result.checks if not check.ok]
    if result.log:
        lines.append(result.log)
    return lines
