"""`az` in front of a control plane that fails in ways of which symbolon has no other: by a proxy that answers for it. The
service behind it must be one that repeated requests do no harm."""

import base64
import json

import world
from az_cli import HOME, Az
from checks import Checks
from faults import Fault, Proxy

ARM, TENANT, SUB = (world.READY[key] for key in ("arm", "tenantId", "subscriptionId"))
ADMIN, SECRET = world.READY["admin"]["clientId"], world.READY["admin"]["clientSecret"]
GROUPS = f"/subscriptions/{SUB}/resourcegroups"
IDENTITY = f"{GROUPS}/rg-faults/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id1"
REGISTER = f"/subscriptions/{SUB}/providers/Microsoft.ManagedIdentity"


def error(code: str, message: str) -> str:
    """A body."""
    return json.dumps({"error": {"code": code, "message": message}})


def assert_seen(seen: list[tuple[str, str]], *wanted: tuple[str, str]) -> None:
    """Exactly these requests, in this order."""
    found = [(method, path.lower()) for method, path in seen]
    assert found == [(method, path.lower()) for method, path in wanted], seen


checks = Checks()
proxy = Proxy(HOME)
az = Az(checks, REQUESTS_CA_BUNDLE=str(proxy.bundle), SSL_CERT_FILE=str(proxy.bundle))
listing = ("GET", GROUPS)

with checks.check("set up: the control plane by the proxy, the authority itself"):
    az.run("config", "set", "core.instance_discovery=false", "core.collect_telemetry=no", "core.survey_message=no")
    directory = f"--endpoint-active-directory {ARM} --endpoint-active-directory-resource-id {ARM}/"
    az.run(*f"cloud register -n faulty --skip-endpoint-discovery --endpoint-resource-manager {proxy.url} {directory}".split())
    az.run("cloud", "set", "-n", "faulty")
    az.run(*f"login --service-principal -u {ADMIN} --password={SECRET} --tenant {TENANT}".split())
    with proxy.with_faults() as seen:
        az.run("group", "list")
        assert_seen(seen, listing)

for status, code in ((429, "TooManyRequests"), (503, "ServiceUnavailable")):
    with checks.check(f"{status} twice with Retry-After, then 200: az waits and gets its answer"):
        fault = Fault("GET", GROUPS, status, error(code, "Later."), times=2, headers={"Retry-After": "1"})
        with proxy.with_faults(fault) as seen:
            said = az.run("group", "list")
            assert "dev" in [one["name"] for one in said], said
            assert_seen(seen, listing, listing, listing)
with checks.check("500 always: four requests, and an error"):
    with proxy.with_faults(Fault("GET", GROUPS, 500, error("InternalServerError", "It broke."))) as seen:
        az.run("group", "list", code=1, says="(InternalServerError) It broke.")
        assert_seen(seen, listing, listing, listing, listing)
with checks.check("401 ExpiredAuthenticationToken: one request, and an error"):
    expired = error("ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time.")
    with proxy.with_faults(Fault("GET", GROUPS, 401, expired)) as seen:
        az.run("group", "list", code=1, says="(ExpiredAuthenticationToken) The access token expiry")
        assert_seen(seen, listing)
# No answer of symbolon's has such a challenge. Whoever sends one is asked again once, whatever the credential: that is
# azure-core's (`BearerTokenCredentialPolicy.on_challenge`, sdk/core/azure-core/azure/core/pipeline/policies), not az's own.
claims = base64.b64encode(b'{"access_token":{"nbf":{"essential":true,"value":"1800000000"}}}').decode()
challenge = {
    "WWW-Authenticate": f'Bearer authorization_uri="{ARM}/{TENANT}", error="insufficient_claims", claims="{claims}"'
}
revoked = error("TokenRevoked", "Continuous access evaluation resulted in challenge.")
with checks.check("401 with a claims challenge once: az gets a token with those claims and its answer"):
    with proxy.with_faults(Fault("GET", GROUPS, 401, revoked, times=1, headers=challenge)) as seen:
        assert "dev" in [one["name"] for one in az.run("group", "list")]
        assert_seen(seen, listing, listing)
with checks.check("401 with a claims challenge always: it asks once more, and an error"):
    with proxy.with_faults(Fault("GET", GROUPS, 401, revoked, headers=challenge)) as seen:
        az.run("group", "list", code=1, says="Continuous access evaluation resulted in challenge.")
        assert_seen(seen, listing, listing)
with checks.check("409 MissingSubscriptionRegistration once: az registers the provider and repeats"):
    az.run("group", "create", "-n", "rg-faults", "-l", "westus")
    text = "The subscription is not registered to use namespace 'Microsoft.ManagedIdentity'."
    fault = Fault("PUT", IDENTITY, 409, error("MissingSubscriptionRegistration", text), times=1)
    with proxy.with_faults(fault) as seen:
        said = az.run(*"identity create -g rg-faults -n id1 -l westus".split())
        assert said["principalId"], said
        put = ("PUT", IDENTITY)
        assert_seen(seen, put, ("POST", f"{REGISTER}/register"), ("GET", REGISTER), put)
with checks.check("a 409 of another kind: one request, and an error"):
    fault = Fault("PUT", IDENTITY, 409, error("Conflict", "Another operation is in progress."))
    with proxy.with_faults(fault) as seen:
        az.run(*"identity create -g rg-faults -n id1 -l westus".split(), code=1, says="(Conflict) Another operation is in progress.")
        assert_seen(seen, ("PUT", IDENTITY))
with checks.check("cleaned up"):
    az.run("group", "delete", "-n", "rg-faults", "-y")
checks.done()
