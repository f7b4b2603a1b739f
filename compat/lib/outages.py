"""Outages: what a client makes of each fault that a playbook can put before it.

Each fault has a VM of its own in `seeds/outages.yaml`, so that a client can meet all of them at once: its retries take a
minute and more. A client that knows no other address than the metadata service's meets them one after the other, on the
VM that stands there. How often it asked, and when, is what symbolon wrote down."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import world
from arm import Arm, Refused
from checks import Checks

PLAYBOOK = f"/subscriptions/{world.READY['subscriptionId']}/providers/Symbolon.Faults/playbooks/current"
FIRST = "first"

FAULTS = {
    "status-400": {"status": 400},
    "status-401": {"status": 401},
    "status-403": {"status": 403},
    "status-404": {"status": 404},
    "status-405": {"status": 405},
    "status-408": {"status": 408},
    "gone-for-ever": {"status": 410},
    "gone-for-70-s": {"status": 410, "for": "70s"},
    "busy": {"status": 429, "retryAfter": 1},
    "busy-without-retry-after": {"status": 429, "retryAfter": "none"},
    "busy-once": {"status": 429, "count": 1},
    "status-500": {"status": 500},
    "unavailable": {"status": 503, "retryAfter": 2},
    "unavailable-once": {"status": 503, "retryAfter": 1, "count": 1},
    "gateway": {"status": 502},
    "gateway-page": {"status": 502, "body": "<html><body>Bad Gateway</body></html>"},
    "gateway-timeout": {"status": 504},
    "dropped": {"drop": True},
    "slow": {"latency": "3s"},
    "silent-for-20-s": {"latency": "20s", "count": 1},
    "silent-for-70-s": {"latency": "70s", "count": 1},
    "silent-for-130-s": {"latency": "130s", "count": 1},
    "broken-off": {"partial": 200},
    "broken-off-once": {"partial": 200, "count": 1},
    "expired": {"expiredToken": True},
    "not-propagated": {"notPropagated": True},
}
"""By the names of their VMs. Whoever waits for ever for an answer waits for one that comes after so long, in one request."""


@dataclass(frozen=True)
class Told:
    """What a client said: nothing is a token, else the name of its error; and whether the token is still good."""

    error: str | None
    good: bool = True


@dataclass(frozen=True)
class Expected:
    """What a client does: how many requests, and what it says in the end."""

    requests: int
    error: str | None = None
    apart: float | None = None
    """The seconds that lie between any two requests at least."""
    good: bool = True


class Playbook:
    """The playbook of the world's subscription."""

    def __init__(self) -> None:
        self.arm = Arm()

    def run(self, steps: list[dict]) -> None:
        """Runs one in the place of the one before."""
        self.arm.send("PUT", PLAYBOOK, {"steps": steps})

    def calls(self, vm: str) -> list[dict]:
        """What was asked on a VM."""
        calls = self.arm.get(PLAYBOOK)["properties"]["calls"]
        return [call for call in calls if call["vm"].endswith(f"/{vm}")]

    def stop(self) -> None:
        """Stops it."""
        try:
            self.arm.send("DELETE", PLAYBOOK)
        except Refused as why:
            raise AssertionError(f"the playbook could not be stopped: {why}") from why


def meet_all(checks: Checks, client: str, ask: Callable[[str], Told], table: dict[str, Expected]) -> None:
    """Lets a client meet every fault of its table at once; `ask` is given the address of its metadata service."""
    playbook = Playbook()
    playbook.run([{"vm": vm} | FAULTS[vm] for vm in table])
    with ThreadPoolExecutor(len(table)) as pool:
        asked = {vm: pool.submit(ask, world.vm(vm)["imds"]) for vm in table}
        for vm, expected in table.items():
            with checks.check(f"{client}: {vm}"):
                told = asked[vm].result()
                judge(told, expected, playbook.calls(vm))
    playbook.stop()


def meet_one_by_one(checks: Checks, client: str, ask: Callable[[], Told], table: dict[str, Expected]) -> None:
    """Lets a client that knows one address only meet the faults of its table, each on a playbook of its own."""
    playbook = Playbook()
    for name, expected in table.items():
        with checks.check(f"{client}: {name}"):
            playbook.run([{"vm": FIRST} | steps(name)])
            judge(ask(), expected, playbook.calls(FIRST))
    playbook.stop()


def steps(name: str) -> dict:
    """The fault of a name; `NAME twice` is one that ends after two requests."""
    fault, _, twice = name.partition(" ")
    return FAULTS[fault] | ({"count": 2} if twice else {})


def judge(told: Told, expected: Expected, calls: list[dict]) -> None:
    """Compares what a client did with what is expected."""
    at = [call["afterMs"] / 1000 for call in calls]
    seen = f"{len(calls)} requests at {at} with {[call['status'] for call in calls]}, and then {told}"
    assert len(calls) == expected.requests, seen
    assert told.error == expected.error, seen
    assert told.good == expected.good, seen
    if expected.apart is not None:
        gaps = [later - earlier for earlier, later in zip(at, at[1:])]
        assert gaps and min(gaps) >= expected.apart, seen


def ask_program(command: list[str], imds: str | None = None) -> Told:
    """What a program says that asks once: a line of JSON with its `error` or with `expiresOn`; a token in it isn't logged.
    The metadata service is at its own address unless said otherwise."""
    environment = os.environ | ({"AZURE_POD_IDENTITY_AUTHORITY_HOST": imds} if imds else {})
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    said = json.loads(ended.stdout.splitlines()[-1])
    said.pop("token", None)
    print(command[-1], imds, said, file=sys.stderr)
    return Told(said["error"], said["error"] is not None or is_good(said["expiresOn"]))


def is_good(expires_on: float) -> bool:
    """Whether a token still lives."""
    return expires_on > time.time()
