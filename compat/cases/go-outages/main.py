"""azidentity for Go, which dials the metadata service's own address, in one outage after the other. It has a pipeline of its
own with seven requests; the three of MSAL for Go, a second apart, are those of whoever uses MSAL alone."""

import sys

import outages
from checks import Checks
from outages import Expected

TWICE = ("status-404", "gone-for-ever", "busy", "busy-without-retry-after", "status-500", "unavailable", "gateway")
FAILED, UNAVAILABLE = "AuthenticationFailedError", "unavailable"
TABLE = {
    # The first, so that what it left behind is over before symbolon is asked to end.
    "silent-for-130-s": Expected(2, apart=60),
    "status-400": Expected(1, UNAVAILABLE),
    "not-propagated": Expected(1, UNAVAILABLE),
    "status-401": Expected(1, FAILED),
    "status-403": Expected(1, FAILED),
    "status-405": Expected(1, FAILED),
    **{f"{fault} twice": Expected(3) for fault in TWICE},
    "status-500": Expected(7, FAILED),
    "dropped": Expected(7, FAILED),
    "slow": Expected(1),
    "broken-off-once": Expected(2),
    "expired": Expected(1, good=False),
}

checks = Checks()
outages.meet_one_by_one(checks, "azidentity", lambda: outages.ask_program(sys.argv[1:]), TABLE)
checks.done()
