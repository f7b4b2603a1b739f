"""msal's ManagedIdentityClient on IMDS. It sends the caller's resource as it is, percent-encoded."""

import msal
import requests
import world
from checks import Checks

RESOURCE = f"{world.ARM}/"
app = world.user_assigned("app")
checks = Checks()


def ask(identity, resource: str = RESOURCE, **options) -> dict:
    """What a new client is answered."""
    with requests.Session() as session:
        client = msal.ManagedIdentityClient(identity, http_client=session, **options)
        return client.acquire_token_for_client(resource=resource)


def assert_answer(answer: dict, identity: dict, resource: str = RESOURCE) -> None:
    """The token is right, and so is what stands beside it."""
    assert "access_token" in answer, answer
    world.assert_token(answer["access_token"], identity, resource)
    assert 43_000 <= answer["expires_in"] <= 86_400, answer["expires_in"]


with checks.check("system-assigned"):
    assert_answer(ask(msal.SystemAssignedManagedIdentity()), world.system_assigned())
with checks.check("client_id"):
    assert_answer(ask(msal.UserAssignedManagedIdentity(client_id=app["clientId"])), app)
with checks.check("object_id"):
    assert_answer(ask(msal.UserAssignedManagedIdentity(object_id=app["principalId"])), app)
with checks.check("resource_id"):
    assert_answer(ask(msal.UserAssignedManagedIdentity(resource_id=app["id"])), app)
with checks.check("no trailing slash stays none"):
    assert_answer(ask(msal.SystemAssignedManagedIdentity(), world.ARM), world.system_assigned(), world.ARM)
with checks.check("client_capabilities"):
    assert_answer(ask(msal.SystemAssignedManagedIdentity(), client_capabilities=["CP1"]), world.system_assigned())
with checks.check("unassigned identity: one request, the error as a dictionary"), world.one_request():
    answer = ask(msal.UserAssignedManagedIdentity(client_id=world.STRANGER_CLIENT_ID))
    assert answer.get("error") == "invalid_request", answer
    assert "Identity not found" in answer.get("error_description", ""), answer
checks.done()
