"""azure-identity, sync, on IMDS at the well-known address."""

import os

import world
from azure.identity import CredentialUnavailableError, DefaultAzureCredential, ManagedIdentityCredential
from checks import Checks

SCOPE = f"{world.ARM}/.default"
app = world.user_assigned("app")
checks = Checks()


def token(**options) -> str:
    """A token from a credential made with these options."""
    return ManagedIdentityCredential(**options).get_token(SCOPE).token


with checks.check("system-assigned"):
    world.assert_token(token(), world.system_assigned())
with checks.check("client_id"):
    world.assert_token(token(client_id=app["clientId"]), app)
with checks.check("object_id"):
    world.assert_token(token(identity_config={"object_id": app["principalId"]}), app)
with checks.check("resource_id"):
    world.assert_token(token(identity_config={"resource_id": app["id"]}), app)
with checks.check("resource_id in lower case"):
    world.assert_token(token(identity_config={"resource_id": app["id"].lower()}), app)
with checks.check("system-assigned by its own client_id"):
    system = world.system_assigned()
    world.assert_token(token(client_id=system["clientId"]), system)
with checks.check("audiences come back byte for byte"):
    for audience in ("https://vault.azure.net", "https://vault.azure.net/", "api://some-app", world.STRANGER_CLIENT_ID):
        given = ManagedIdentityCredential().get_token(f"{audience}/.default").token
        world.assert_token(given, world.system_assigned(), audience)
with checks.check("the client caches and plans a refresh"):
    credential = ManagedIdentityCredential()
    with world.one_request():
        first = credential.get_token_info(SCOPE)
        second = credential.get_token_info(SCOPE)
    assert first.token == second.token
    assert first.refresh_on, "a life of two hours and more makes the client plan a refresh"
with checks.check("unassigned identity: one request, CredentialUnavailableError"), world.one_request():
    try:
        token(client_id=world.STRANGER_CLIENT_ID)
    except CredentialUnavailableError as why:
        assert "Identity not found" in str(why), why
    else:
        raise AssertionError("a token for an identity that isn't assigned")
with checks.check("DefaultAzureCredential finds IMDS by its probe"):
    given = DefaultAzureCredential().get_token(SCOPE).token
    world.assert_token(given, world.system_assigned())
with checks.check("DefaultAzureCredential with managed_identity_client_id"):
    given = DefaultAzureCredential(managed_identity_client_id=app["clientId"]).get_token(SCOPE).token
    world.assert_token(given, app)
for vm_name in ("crowded", "bare", "single"):
    os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = world.vm(vm_name)["imds"]
    with checks.check(f"by AZURE_POD_IDENTITY_AUTHORITY_HOST: {vm_name}"), world.one_request():
        expected = {"crowded": "Multiple user assigned identities exist", "bare": "Identity not found"}.get(vm_name)
        try:
            world.assert_token(token(), world.user_assigned("app", "single"))
            assert expected is None, "a token although the choice isn't clear"
        except CredentialUnavailableError as why:
            assert expected and expected in str(why), why
checks.done()
