"""azure-identity for Java, which dials the metadata service's own address, in one outage after the other: six requests like
its sister for Python, and one class of error for all."""

import sys

import outages
from checks import Checks
from outages import Expected

TWICE = ("status-404", "gone-for-ever", "busy", "busy-without-retry-after", "status-500", "unavailable", "gateway")
FAILED = "ClientAuthenticationException"
TABLE = {
    "status-400": Expected(1, FAILED),
    "not-propagated": Expected(1, FAILED),
    "status-401": Expected(1, FAILED),
    "status-403": Expected(1, FAILED),
    "status-405": Expected(1, FAILED),
    **{f"{fault} twice": Expected(3) for fault in TWICE},
    "status-500": Expected(6, FAILED),
    "dropped": Expected(6, FAILED),
    "slow": Expected(1),
    "silent-for-20-s": Expected(1),
    "broken-off": Expected(1, FAILED),
    "expired": Expected(1, good=False),
}

checks = Checks()
outages.meet_one_by_one(checks, "azure-identity", lambda: outages.ask_program(sys.argv[1:]), TABLE)
checks.done()
