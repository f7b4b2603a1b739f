"""packaging/examples/leave-extension/run.sh, run as it says: each step does what the README shows."""

import os
import subprocess
from pathlib import Path

from checks import Checks

EXAMPLE = Path(__file__).resolve().parents[3] / "packaging/examples/leave-extension/run.sh"
TOKEN = '{"access_token":"eyJ0eXAiO'


def main() -> None:
    checks = Checks()
    command = ["unshare", "-Urnm", "sh", str(EXAMPLE), os.environ["COMPAT_SYMBOLON"]]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    said: dict[str, list[str]] = {}
    steps: list[tuple[str, str]] = []
    for line in ended.stdout.splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], ""))
        elif steps:
            steps[-1] = (steps[-1][0], steps[-1][1] + line + "\n")
    for step, output in steps:
        said.setdefault(" ".join(step.split()[:3]), []).append(output)
    with checks.check("the sequence runs to its end"):
        assert ended.returncode == 0, ended.stdout + ended.stderr
    with checks.check("the workload gets a token before, after it was changed, and when the extension is gone"):
        assert [output.strip() for output in said["sh app/token.sh |"]] == [TOKEN] * 3, said
    with checks.check("the scan finds template and workload, and nothing once they are changed"):
        before, after = said["symbolon migrate scan"]
        assert "SYM001" in before and "SYM007" in before and "2 errors" in before, before
        assert after.startswith("0 errors, 0 warnings, 0 notes"), after
    with checks.check("the last caller is seen on both sides"):
        (row,) = said["until symbolon migrate"][0].splitlines()
        assert row.split()[:3] == ["dev", "serving", "50342"] and row.count("Z ") == 2, row
    with checks.check("the cutover can be taken back until the extension is removed"):
        there, back = said["symbolon migrate cutover"]
        assert there.endswith("dev: at revoked\n") and back.endswith("dev: at serving\n"), (there, back)
        assert said["until symbolon migrate"][1].endswith("dev: at removed\n"), said
    with checks.check("nothing usable is left on the disk"):
        assert "nothing usable is left" in said["symbolon migrate verify"][0], said
    checks.done()


main()
