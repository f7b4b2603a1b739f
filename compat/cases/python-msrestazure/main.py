"""msrestazure, the library of the extension's time: MSIAuthentication on IMDS (fixed address) and, with MSI_ENDPOINT
set, on the extension; get_msi_token, whose default is the extension's documented URL."""

import os

import requests
import world
from checks import Checks
from msrestazure.azure_active_directory import MSIAuthentication, get_msi_token

RESOURCE = f"{world.ARM}/"
app = world.user_assigned("app")
system = world.system_assigned()
SELECTORS = {"client_id": app["clientId"], "object_id": app["principalId"], "msi_res_id": app["id"]}
checks = Checks()


def refused(ask) -> None:
    """The client's own word: HTTPError with the status."""
    try:
        ask()
    except requests.HTTPError as why:
        # On IMDS it keeps urllib3's response, on the extension that of requests.
        status = getattr(why.response, "status_code", None) or why.response.status
        assert status == 400, status
    else:
        raise AssertionError("a token for an identity that isn't assigned")


with checks.check("IMDS: system-assigned"):
    credentials = MSIAuthentication(resource=RESOURCE)
    world.assert_token(credentials.token["access_token"], system, RESOURCE)
    assert credentials.signed_session().headers["Authorization"].startswith("Bearer ey")
for name, value in SELECTORS.items():
    with checks.check(f"IMDS: {name}"):
        credentials = MSIAuthentication(resource=RESOURCE, **{name: value})
        world.assert_token(credentials.token["access_token"], app, RESOURCE)
with checks.check("IMDS: unassigned identity: one request, HTTPError"), world.one_request():
    refused(lambda: MSIAuthentication(resource=RESOURCE, client_id=world.STRANGER_CLIENT_ID))
with checks.check("extension: get_msi_token at its default URL"):
    scheme, token, entry = get_msi_token(RESOURCE)
    assert (scheme, entry["refresh_token"], entry["resource"]) == ("Bearer", "", RESOURCE), entry
    said = world.assert_token(token, system, RESOURCE)
    assert said["exp"] - said["nbf"] == 3900, said
for name, value in SELECTORS.items():
    with checks.check(f"extension: {name}"):
        _, token, _ = get_msi_token(RESOURCE, msi_conf={name: value})
        world.assert_token(token, app, RESOURCE)
with checks.check("extension: unassigned identity: one request, HTTPError"), world.one_request():
    refused(lambda: get_msi_token(RESOURCE, msi_conf={"object_id": world.STRANGER_CLIENT_ID}))
os.environ["MSI_ENDPOINT"] = world.vm()["extension"]
with checks.check("extension: MSIAuthentication by MSI_ENDPOINT"):
    world.assert_token(MSIAuthentication(resource=RESOURCE).token["access_token"], system, RESOURCE)
checks.done()
