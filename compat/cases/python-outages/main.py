"""Azure's libraries for Python in every outage. Each request is made by a process of its own: the libraries find their
endpoint in the environment, and msal remembers for its whole process who was busy."""

import asyncio
import multiprocessing
import os
import time
from collections.abc import Callable

import msal
import outages
import requests
import world
from azure.identity import ManagedIdentityCredential
from azure.identity.aio import ManagedIdentityCredential as AioCredential
from checks import Checks
from msrestazure.azure_active_directory import MSIAuthentication
from outages import Expected, Told

SCOPE = f"{world.ARM}/.default"
UNAVAILABLE, REFUSED = "CredentialUnavailableError", "ClientAuthenticationError"
BRANCH = multiprocessing.get_context("fork")


def sync() -> float:
    """azure-identity; when its token expires."""
    return ManagedIdentityCredential().get_token(SCOPE).expires_on


def aio() -> float:
    """The same with asyncio."""

    async def ask() -> float:
        async with AioCredential() as credential:
            return (await credential.get_token(SCOPE)).expires_on

    return asyncio.run(ask())


def plain_msal() -> float:
    """msal, which tells a refusal by a dictionary."""
    client = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=requests.Session())
    answer = client.acquire_token_for_client(resource=world.ARM)
    if "access_token" not in answer:
        raise LookupError(answer)
    return time.time() + answer["expires_in"]


def msrestazure() -> float:
    """msrestazure, which dials the metadata service's address whatever is set."""
    return float(MSIAuthentication(resource=world.ARM).token["expires_on"])


def branched(client: Callable[[], float], imds: str | None = None) -> Told:
    """What a client says that starts with nothing remembered."""
    mine, its = BRANCH.Pipe()

    def ask() -> None:
        if imds:
            os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = imds
        try:
            its.send(Told(None, outages.is_good(client())))
        except BaseException as why:
            its.send(Told(type(why).__name__))

    process = BRANCH.Process(target=ask)
    process.start()
    told = mine.recv()
    process.join()
    return told


def every(requests: int, error: str) -> dict[str, Expected]:
    """What is the same for all faults that don't go away."""
    kinds = ("status-404", "status-408", "gone-for-ever", "busy", "busy-without-retry-after", "status-500", "gateway",
             "gateway-page", "gateway-timeout")  # fmt: skip
    return {vm: Expected(requests, error) for vm in kinds}


SYNC = every(6, UNAVAILABLE) | {
    "status-400": Expected(1, UNAVAILABLE),
    "status-401": Expected(1, UNAVAILABLE),
    "status-403": Expected(1, UNAVAILABLE),
    "status-405": Expected(1, UNAVAILABLE),
    "not-propagated": Expected(1, UNAVAILABLE),
    "gone-for-70-s": Expected(6),
    "unavailable": Expected(6, UNAVAILABLE, apart=2),
    "unavailable-once": Expected(2, apart=1),
    "busy-once": Expected(2),
    "dropped": Expected(4, UNAVAILABLE),
    "slow": Expected(1),
    "silent-for-70-s": Expected(1),
    "broken-off": Expected(6, REFUSED),
    "broken-off-once": Expected(2),
    "expired": Expected(1, good=False),
}
AIO = SYNC | every(6, REFUSED) | {
    "status-401": Expected(1, REFUSED),
    "status-403": Expected(1, REFUSED),
    "status-405": Expected(1, REFUSED),
    "unavailable": Expected(6, REFUSED, apart=2),
    "gateway-page": Expected(6, UNAVAILABLE),
    "dropped": Expected(8, UNAVAILABLE),
}
MSAL = {vm: Expected(1, "LookupError") for vm in SYNC if vm != "silent-for-70-s"} | {
    "slow": Expected(1),
    "silent-for-20-s": Expected(1),
    "expired": Expected(1, good=False),
    "dropped": Expected(1, "ConnectionError"),
    "broken-off": Expected(1, "ChunkedEncodingError"),
    "broken-off-once": Expected(1, "ChunkedEncodingError"),
    "gateway-page": Expected(1, "JSONDecodeError"),
}
MSRESTAZURE = {
    **{f"status-{status}": Expected(1, "HTTPError") for status in (400, 401, 403, 405, 408)},
    "dropped": Expected(1, "ConnectionError"),
    "slow": Expected(1),
    "silent-for-20-s": Expected(1),
    "broken-off": Expected(1, "ChunkedEncodingError"),
    "expired": Expected(1, good=False),
    **{
        f"{fault} twice": Expected(3)
        for fault in ("status-404", "gone-for-ever", "busy", "status-500", "unavailable", "gateway")
    },
}

checks = Checks()
for name, client, table in (("azure-identity", sync, SYNC), ("aio", aio, AIO), ("msal", plain_msal, MSAL)):
    outages.meet_all(checks, name, lambda imds, client=client: branched(client, imds), table)
outages.meet_one_by_one(checks, "msrestazure", lambda: branched(msrestazure), MSRESTAZURE)
checks.done()
