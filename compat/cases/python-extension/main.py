"""azure-identity on the extension's endpoint: MSI_ENDPOINT without MSI_SECRET makes it POST a form there."""

import asyncio
import os

import world
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError, DefaultAzureCredential, ManagedIdentityCredential
from azure.identity.aio import ManagedIdentityCredential as AioCredential
from checks import Checks

SCOPE = f"{world.ARM}/.default"
os.environ["MSI_ENDPOINT"] = world.vm()["extension"]
system = world.system_assigned()
checks = Checks()


async def aio_tokens(count: int) -> list[str]:
    """Tokens from one aio credential."""
    async with AioCredential() as credential:
        return [(await credential.get_token(SCOPE)).token for _ in range(count)]


def refused(ask) -> None:
    """A refusal here stops a chain: ClientAuthenticationError, not its subclass for "unavailable"."""
    try:
        ask()
    except CredentialUnavailableError as why:
        raise AssertionError(f"unavailable instead of refused: {why}") from why
    except ClientAuthenticationError as why:
        assert "Multiple user assigned identities exist" in str(why), why
    else:
        raise AssertionError("a token although the choice isn't clear")


with checks.check("sync: one request for two tokens"), world.one_request():
    credential = ManagedIdentityCredential()
    first = credential.get_token(SCOPE)
    said = world.assert_token(first.token, system)
    assert said["exp"] == first.expires_on, (said, first.expires_on)
    assert credential.get_token(SCOPE).token == first.token
with checks.check("aio: one request for two tokens"), world.one_request():
    one, two = asyncio.run(aio_tokens(2))
    world.assert_token(one, system)
    assert one == two
with checks.check("DefaultAzureCredential"):
    world.assert_token(DefaultAzureCredential().get_token(SCOPE).token, system)
with checks.check("127.0.0.1 and [::1] instead of localhost"):
    for host in ("127.0.0.1", "[::1]"):
        os.environ["MSI_ENDPOINT"] = world.vm()["extension"].replace("localhost", host)
        world.assert_token(ManagedIdentityCredential().get_token(SCOPE).token, system)
os.environ["MSI_ENDPOINT"] = world.vm("crowded")["extension"]
with checks.check("sync: several identities: one request, ClientAuthenticationError"), world.one_request():
    refused(lambda: ManagedIdentityCredential().get_token(SCOPE))
with checks.check("aio: several identities: one request, ClientAuthenticationError"), world.one_request():
    refused(lambda: asyncio.run(aio_tokens(1)))
checks.done()
