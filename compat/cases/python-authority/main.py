"""Service principal logins against the authority, as MSAL and azure-identity do them. Instance discovery is off, for it
would ask login.microsoftonline.com itself; the CA is ours."""

import os
from pathlib import Path

import world
from checks import Checks
from cryptography import x509
from cryptography.hazmat.primitives import hashes

os.environ["REQUESTS_CA_BUNDLE"] = world.READY["caFile"]

import msal  # noqa: E402  (after the CA is set)
from azure.core.exceptions import ClientAuthenticationError  # noqa: E402
from azure.identity import CertificateCredential, ClientSecretCredential  # noqa: E402

CLIENT_ID = "0a1b2c3d-1111-4222-8333-444455556671"
TENANT = world.READY["tenantId"]
SCOPE = f"{world.ARM}/.default"
PEM = Path(world.READY["credentials"]["pem"])
SECRET = world.READY["credentials"]["secret"]
AUTHORITY = {"authority": world.READY["authority"], "disable_instance_discovery": True}
checks = Checks()


def assert_application(token: str, appidacr: str, audience: str = world.ARM) -> None:
    """A token of the application, which says how it signed in."""
    said = world.claims(token)
    expected = {"aud": audience, "appid": CLIENT_ID, "appidacr": appidacr, "tid": TENANT, "idtyp": "app"}
    assert {name: said.get(name) for name in expected} == expected, said


def msal_answer(credential, scope: str = SCOPE) -> dict:
    """What MSAL's confidential client is answered."""
    client = msal.ConfidentialClientApplication(
        CLIENT_ID, client_credential=credential, authority=f"{world.READY['authority']}/{TENANT}", instance_discovery=False
    )
    answer = client.acquire_token_for_client([scope])
    if "error" not in answer:
        assert isinstance(answer["expires_in"], int) and "refresh_token" not in answer, answer.keys()
    return answer


def thumbprint(algorithm) -> str:
    """Of the certificate in the PEM."""
    return x509.load_pem_x509_certificate(PEM.read_bytes()).fingerprint(algorithm).hex()


with checks.check("MSAL: secret"):
    assert_application(msal_answer(SECRET)["access_token"], "1")
with checks.check("MSAL: certificate by its SHA-1 thumbprint (RS256, x5t)"):
    credential = {"private_key": PEM.read_text(), "thumbprint": thumbprint(hashes.SHA1())}
    assert_application(msal_answer(credential)["access_token"], "2")
with checks.check("MSAL: certificate alone (PS256, x5t#S256, x5c)"):
    certificate = PEM.read_text()[PEM.read_text().index("-----BEGIN CERTIFICATE") :]
    credential = {"private_key": PEM.read_text(), "public_certificate": certificate}
    assert_application(msal_answer(credential)["access_token"], "2")
with checks.check("MSAL: a scope with two slashes keeps one"):
    answer = msal_answer(SECRET, f"{world.ARM}//.default")
    assert_application(answer["access_token"], "1", f"{world.ARM}/")
with checks.check("MSAL: wrong secret: AADSTS7000215"):
    answer = msal_answer("wrong")
    assert (answer.get("error"), answer.get("error_codes")) == ("invalid_client", [7000215]), answer
with checks.check("azure-identity: ClientSecretCredential"):
    token = ClientSecretCredential(TENANT, CLIENT_ID, SECRET, **AUTHORITY).get_token(SCOPE).token
    assert_application(token, "1")
with checks.check("azure-identity: CertificateCredential"):
    token = CertificateCredential(TENANT, CLIENT_ID, str(PEM), **AUTHORITY).get_token(SCOPE).token
    assert_application(token, "2")
with checks.check("azure-identity: CertificateCredential, send_certificate_chain"):
    credential = CertificateCredential(TENANT, CLIENT_ID, str(PEM), send_certificate_chain=True, **AUTHORITY)
    assert_application(credential.get_token(SCOPE).token, "2")
with checks.check("azure-identity: claims of a challenge reach the token"):
    credential = ClientSecretCredential(TENANT, CLIENT_ID, SECRET, **AUTHORITY)
    token = credential.get_token(SCOPE, enable_cae=True).token
    assert world.claims(token).get("xms_cc") == ["CP1"], world.claims(token)
with checks.check("azure-identity: unknown application: ClientAuthenticationError with AADSTS700016"):
    stranger = ClientSecretCredential(TENANT, world.STRANGER_CLIENT_ID, SECRET, **AUTHORITY)
    try:
        stranger.get_token(SCOPE)
    except ClientAuthenticationError as why:
        assert "AADSTS700016" in str(why), why
    else:
        raise AssertionError("a token for an application that doesn't exist")
checks.done()
