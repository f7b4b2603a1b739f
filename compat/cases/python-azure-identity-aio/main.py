"""azure-identity.aio on IMDS. It has its own code for managed identities: other selector names, other error rules."""

import asyncio
import os

import world
from azure.identity import CredentialUnavailableError
from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential
from checks import Checks

SCOPE = f"{world.ARM}/.default"
app = world.user_assigned("app")
checks = Checks()


async def token(scope: str = SCOPE, kind=ManagedIdentityCredential, **options) -> str:
    """A token from a credential made with these options."""
    async with kind(**options) as credential:
        return (await credential.get_token(scope)).token


async def main() -> None:
    """All checks, one after the other: they count requests."""
    system = world.system_assigned()
    with checks.check("system-assigned"):
        world.assert_token(await token(), system)
    with checks.check("client_id"):
        world.assert_token(await token(client_id=app["clientId"]), app)
    with checks.check("object_id"):
        world.assert_token(await token(identity_config={"object_id": app["principalId"]}), app)
    with checks.check("resource_id, under that name on the wire"):
        world.assert_token(await token(identity_config={"resource_id": app["id"]}), app)
    with checks.check("audience without and with slash"):
        for audience in ("https://vault.azure.net", "https://vault.azure.net/"):
            world.assert_token(await token(f"{audience}/.default"), system, audience)
    with checks.check("the resource comes back as asked: one request for two tokens"):
        async with ManagedIdentityCredential() as credential:
            with world.one_request():
                first = await credential.get_token(SCOPE)
                assert (await credential.get_token(SCOPE)).token == first.token
    with checks.check("twenty at once"):
        tokens = await asyncio.gather(*(token() for _ in range(20)))
        for given in tokens:
            world.assert_token(given, system)
    with checks.check("unassigned identity: one request, CredentialUnavailableError"), world.one_request():
        await refused(client_id=world.STRANGER_CLIENT_ID)
    with checks.check("unassigned resource_id is never another identity's token"), world.one_request():
        await refused(identity_config={"resource_id": app["id"].replace("/app", "/stranger")})
    with checks.check("DefaultAzureCredential finds IMDS by its probe"):
        world.assert_token(await token(kind=DefaultAzureCredential), system)
    os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = world.vm("single")["imds"]
    with checks.check("by AZURE_POD_IDENTITY_AUTHORITY_HOST: the only identity"):
        world.assert_token(await token(), world.user_assigned("app", "single"))


async def refused(**options) -> None:
    """The client's own word for an identity that isn't there."""
    try:
        await token(**options)
    except CredentialUnavailableError as why:
        assert "Identity not found" in str(why) or "identity has not been assigned" in str(why), why
    else:
        raise AssertionError("a token for an identity that isn't assigned")


asyncio.run(main())
checks.done()
