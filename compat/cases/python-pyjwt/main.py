"""A relying party in Python: discovery and keys over TLS (the authority's own CA), tokens from both endpoints."""

import json
import ssl
import urllib.parse
import urllib.request

import jwt
import world
from checks import Checks

RESOURCE = f"{world.ARM}/"
TENANT = world.READY["tenantId"]
ISSUER = f"https://sts.windows.net/{TENANT}/"
PUBLIC_MEMBERS = {"kty", "use", "alg", "kid", "x5t", "x5c", "n", "e", "issuer"}
TLS = ssl.create_default_context(cafile=world.READY["caFile"])
checks = Checks()


def fetch(url: str, **headers: str) -> dict:
    """JSON from anywhere in this world."""
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=10, context=TLS if url.startswith("https") else None) as reply:
        return json.load(reply)


def discover(path: str) -> dict:
    """An OpenID configuration."""
    return fetch(f"{world.READY['authority']}/{TENANT}{path}/.well-known/openid-configuration")


def imds_token(resource: str = RESOURCE) -> str:
    """A token from IMDS."""
    query = urllib.parse.urlencode({"api-version": "2018-02-01", "resource": resource})
    return fetch(f"{world.vm()['imds']}/metadata/identity/oauth2/token?{query}", Metadata="true")["access_token"]


def verify(token: str, path: str = "", **rules) -> dict:
    """As a relying party would: key by kid, signature, times, audience, issuer, required claims."""
    key = jwt.PyJWKClient(discover(path)["jwks_uri"], ssl_context=TLS).get_signing_key_from_jwt(token)
    options = {"require": ["exp", "nbf", "iat", "iss", "aud", "sub"], "strict_aud": True}
    return jwt.decode(token, key, algorithms=["RS256"], options=options, **{"audience": RESOURCE, "issuer": ISSUER} | rules)


def assert_refused(kind: type[Exception], **rules) -> None:
    """The token isn't good for that."""
    try:
        verify(imds_token(), **rules)
    except kind:
        return
    raise AssertionError(f"accepted with {rules}")


for version, path in (("v1", ""), ("v2", "/v2.0")):
    with checks.check(f"IMDS token, keys by {version} discovery"):
        assert verify(imds_token(), path)["oid"] == world.system_assigned()["principalId"]
with checks.check("extension token"):
    query = urllib.parse.urlencode({"resource": RESOURCE})
    answer = fetch(f"{world.vm()['extension']}?{query}", Metadata="true")
    assert verify(answer["access_token"])["oid"] == world.system_assigned()["principalId"]
with checks.check("v1 discovery says the token's issuer"):
    assert discover("")["issuer"] == ISSUER
with checks.check("token for federation: v2 issuer, keys by v2 discovery"):
    token = imds_token("api://AzureADTokenExchange")
    issuer = f"https://login.microsoftonline.com/{TENANT}/v2.0"
    said = verify(token, "/v2.0", issuer=issuer, audience=jwt.decode(token, options={"verify_signature": False})["aud"])
    assert (said["ver"], said["sub"]) == ("2.0", world.system_assigned()["principalId"]), said
with checks.check("another audience is refused"):
    assert_refused(jwt.InvalidAudienceError, audience=world.ARM)
with checks.check("another issuer is refused"):
    assert_refused(jwt.InvalidIssuerError, issuer=ISSUER[:-1])
with checks.check("keys have public members only"):
    for key in fetch(discover("/v2.0")["jwks_uri"])["keys"]:
        assert set(key) <= PUBLIC_MEMBERS, sorted(key)
checks.done()
