"""Azure's libraries for Node in every outage, each request made by a process of its own."""

import sys

import outages
from checks import Checks
from outages import Expected

UNAVAILABLE, REFUSED = "CredentialUnavailableError", "ServerError"


IDENTITY = {
    **{f"status-{status}": Expected(1, UNAVAILABLE) for status in (400, 401, 403, 405)},
    "status-404": Expected(6, UNAVAILABLE),
    "status-408": Expected(4, UNAVAILABLE),
    "gone-for-ever": Expected(6, UNAVAILABLE),
    # Its last try comes 60 to 80 s after the first, by chance: whether it outlives 70 s can't be said.
    "busy": Expected(4, UNAVAILABLE, apart=1),
    "busy-without-retry-after": Expected(1, UNAVAILABLE),
    "busy-once": Expected(2, apart=1),
    "status-500": Expected(4, UNAVAILABLE),
    "unavailable": Expected(4, UNAVAILABLE, apart=2),
    "unavailable-once": Expected(2, apart=1),
    "gateway": Expected(4, UNAVAILABLE),
    "gateway-timeout": Expected(4, UNAVAILABLE),
    "dropped": Expected(4, UNAVAILABLE),
    "slow": Expected(1),
    "silent-for-130-s": Expected(1),
    "broken-off": Expected(1, UNAVAILABLE),
    "expired": Expected(1, good=False),
    "not-propagated": Expected(1, UNAVAILABLE),
}
MSAL_NODE = {
    **{f"status-{status}": Expected(1, REFUSED) for status in (400, 401, 403, 405)},
    **{vm: Expected(4, REFUSED) for vm in ("status-404", "status-408", "busy", "status-500", "unavailable", "gateway", "gateway-timeout")},
    "busy-without-retry-after": Expected(4, REFUSED),
    "gone-for-ever": Expected(8, REFUSED, apart=9.9),
    "gone-for-70-s": Expected(8, apart=9.9),
    "busy-once": Expected(2),
    "unavailable-once": Expected(2),
    "gateway-page": Expected(1, "AuthError"),
    "dropped": Expected(1, "NetworkError"),
    "slow": Expected(1),
    "silent-for-130-s": Expected(1),
    "broken-off": Expected(1, "AuthError"),
    "expired": Expected(1, good=False),
    "not-propagated": Expected(1, REFUSED),
}

checks = Checks()
for client, table in (("identity", IDENTITY), ("msal-node", MSAL_NODE)):
    command = [*sys.argv[1:], client]
    outages.meet_all(checks, client, lambda imds, command=command: outages.ask_program(command, imds), table)
checks.done()
