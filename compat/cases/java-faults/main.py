"""Azure's library for Java, which dials the metadata service's own address, in one outage after the other."""

import sys

import outages
from checks import Checks
from outages import Expected

TWICE = ("status-404", "gone-for-ever", "busy", "status-500", "unavailable")
REFUSED = "X"
TABLE = {
    "status-400": Expected(1, REFUSED),
    "status-403": Expected(1, REFUSED),
    "not-propagated": Expected(1, REFUSED),
    **{f"{fault} twice": Expected(3) for fault in TWICE},
    "status-500": Expected(3, REFUSED),
    "dropped": Expected(1, REFUSED),
    "slow": Expected(1),
}

checks = Checks()
outages.meet_one_by_one(checks, "java", lambda: outages.ask_program(sys.argv[1:]), TABLE)
checks.done()
