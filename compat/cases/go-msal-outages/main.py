"""MSAL for Go without azidentity around it, which dials the metadata service's own address, in one outage after the other:
three requests, a second apart, whatever `Retry-After` says."""

import sys

import outages
from checks import Checks
from outages import Expected

THRICE = ("status-404", "gone-for-ever", "busy", "busy-without-retry-after", "status-500", "unavailable", "gateway")
FAILED = "unavailable"
TABLE = {
    **{f"status-{status}": Expected(1, FAILED) for status in (400, 401, 403, 405, 408)},
    "not-propagated": Expected(1, FAILED),
    **{fault: Expected(3, FAILED, apart=1) for fault in THRICE},
    "status-500 twice": Expected(3, apart=1),
    "busy-once": Expected(2, apart=1),
    "unavailable-once": Expected(2, apart=1),
    "dropped": Expected(3, FAILED, apart=1),
    "slow": Expected(1),
    "silent-for-20-s": Expected(1),
    "broken-off": Expected(1, FAILED),
    "expired": Expected(1, good=False),
}

checks = Checks()
outages.meet_one_by_one(checks, "msal", lambda: outages.ask_program(sys.argv[1:]), TABLE)
checks.done()
