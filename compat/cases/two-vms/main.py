"""packaging/examples/two-vms.sh, run as it says: each VM gets its own token, though both have the same address."""

import json
import os
import subprocess
from pathlib import Path

import world
from checks import Checks

EXAMPLE = Path(__file__).resolve().parents[3] / "packaging/examples/two-vms.sh"


def main() -> None:
    checks = Checks()
    with checks.check("each VM gets its own token"):
        command = ["unshare", "-Urnm", "sh", str(EXAMPLE), os.environ["COMPAT_SYMBOLON"]]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
        assert ended.returncode == 0, ended.stderr
        said = [world.claims(json.loads(line)["access_token"]) for line in ended.stdout.splitlines()]
        assert [claims["xms_mirid"].rsplit("/", 1)[1] for claims in said] == ["one", "two"], said
        assert said[0]["oid"] != said[1]["oid"]
    with checks.check("it does nothing outside of a network of its own"):
        # Here the address is the case's, and a way out stands for the network of a machine.
        guarded = f"ip link set lo up && ip route add 192.0.2.0/24 dev lo && exec sh {EXAMPLE}"
        ended = subprocess.run(["unshare", "-Urnm", "sh", "-c", guarded], capture_output=True, text=True, timeout=30, check=False)
        assert ended.returncode == 2 and "network namespace of its own" in ended.stderr, ended.stderr
    checks.done()


main()
