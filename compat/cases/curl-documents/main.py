"""The requests of the documents as they are printed there, by curl: the extension's (MicrosoftDocs, "stop using the
virtual machine managed identities extension") and IMDS's (MicrosoftDocs/entra-docs how-to-use-vm-token.md)."""

import json
import subprocess

import world
from checks import Checks

RESOURCE = f"{world.ARM}/"
EXTENSION = "http://localhost:50342/oauth2/token"
IMDS = f"http://{world.IMDS}/metadata/identity/oauth2/token?api-version=2018-02-01"
ENCODED = "https%3A%2F%2Fmanagement.azure.com%2F"
EXTENSION_KEYS = ["access_token", "refresh_token", "expires_in", "expires_on", "not_before", "resource", "token_type"]
IMDS_KEYS = [
    "access_token", "client_id", "expires_in", "expires_on", "ext_expires_in", "not_before", "resource", "token_type",
]  # fmt: skip
METADATA = ["-H", "Metadata: true"]
app = world.user_assigned("app")
system = world.system_assigned()
checks = Checks()


def curl(*arguments: str) -> tuple[int, str, dict]:
    """Status, content type and body of an answer."""
    command = ["curl", "-q", "--silent", "--show-error", "--max-time", "10", "--write-out", "\n%{http_code}\n%{content_type}"]
    ended = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
    body, status, content_type = ended.stdout.rsplit("\n", 2)
    return int(status), content_type, json.loads(body)


def assert_answer(answer: tuple[int, str, dict], keys: list[str], identity: dict, life: int) -> None:
    """Status, keys in their order, all strings, and a token of that identity."""
    status, content_type, body = answer
    assert status == 200 and content_type.startswith("application/json"), answer
    assert list(body) == keys, list(body)
    assert all(isinstance(value, str) for value in body.values()), body
    said = world.assert_token(body["access_token"], identity, RESOURCE)
    assert (body["resource"], body["token_type"]) == (RESOURCE, "Bearer"), body
    assert (int(body["expires_on"]), int(body["not_before"])) == (said["exp"], said["nbf"]), body
    assert said["exp"] - said["nbf"] == life + 300, said
    assert 0 < int(body["expires_in"]) <= life, body


with checks.check("extension: the documented GET"):
    answer = curl(f"{EXTENSION}?resource={ENCODED}", *METADATA)
    assert_answer(answer, EXTENSION_KEYS, system, 3600)
    assert answer[2]["refresh_token"] == "" and answer[1] == "application/json", answer
with checks.check("extension: the POST of 2017"):
    answer = curl(EXTENSION, *METADATA, "--data", f"resource={RESOURCE}")
    assert_answer(answer, EXTENSION_KEYS, system, 3600)
for name, value in (("object_id", app["principalId"]), ("client_id", app["clientId"])):
    with checks.check(f"extension: {name}"):
        answer = curl(f"{EXTENSION}?resource={ENCODED}&{name}={value}", *METADATA)
        assert_answer(answer, EXTENSION_KEYS, app, 3600)
with checks.check("extension: no Metadata header"):
    status, _, body = curl(f"{EXTENSION}?resource={ENCODED}")
    assert (status, body["error"]) == (400, "bad_request_102"), (status, body)
with checks.check("extension: another path is an unknown source"):
    status, _, body = curl("http://localhost:50342/oauth2/tokens", *METADATA)
    assert (status, body["error"]) == (401, "unknown_source"), (status, body)
with checks.check("IMDS: the documented GET"):
    assert_answer(curl(f"{IMDS}&resource={RESOURCE}", *METADATA), IMDS_KEYS, system, 86_400)
with checks.check("IMDS: client_id"):
    assert_answer(curl(f"{IMDS}&resource={RESOURCE}&client_id={app['clientId']}", *METADATA), IMDS_KEYS, app, 86_400)
with checks.check("IMDS: resource id is echoed as sent"):
    answer = curl(f"{IMDS}&resource={RESOURCE}&msi_res_id={app['id'].lower()}", *METADATA)
    assert_answer(answer, sorted([*IMDS_KEYS, "msi_res_id"]), app, 86_400)
    assert answer[2]["msi_res_id"] == app["id"].lower(), answer
with checks.check("IMDS: no Metadata header"):
    status, _, body = curl(f"{IMDS}&resource={RESOURCE}")
    refusal = {"error": "invalid_request", "error_description": "Required metadata header not specified"}
    assert (status, body) == (400, refusal), (status, body)
with checks.check("IMDS: identity not found"):
    status, _, body = curl(f"{IMDS}&resource={RESOURCE}&client_id={world.STRANGER_CLIENT_ID}", *METADATA)
    refusal = {"error": "invalid_request", "error_description": "Identity not found"}
    assert (status, body) == (400, refusal), (status, body)
with checks.check("symbolon counts these requests, which other cases rely on"):
    before = world.requests_counted()
    curl(f"{IMDS}&resource={RESOURCE}", *METADATA)
    curl(f"{EXTENSION}?resource={ENCODED}")
    assert before is not None and world.requests_counted() == before + 2, (before, world.requests_counted())
checks.done()
