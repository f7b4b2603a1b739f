"""What symbolon said when it was ready, and questions about the tokens it gives."""

import base64
import json
import os
import re
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ARM = "https://management.azure.com"
IMDS = "169.254.169.254"
"""The metadata service's own address, which the case's network has on its own `lo`."""
STRANGER_CLIENT_ID = "0a1b2c3d-1111-4222-8333-444455556665"
"""The client id of an identity that exists and is assigned to no VM (`seeds/workload.yaml`)."""

READY = json.loads(Path(os.environ["COMPAT_WORLD"]).read_text())
COUNTED = re.compile(r"^symbolon_(imds|extension)_requests_total(?:\{.*\})? ([0-9.e+]+)$", re.MULTILINE)


def vm(name: str = "dev") -> dict:
    """A VM of the seed."""
    return next(vm for vm in READY["vms"] if vm["name"] == name)


def system_assigned(vm_name: str = "dev") -> dict:
    """A VM's system-assigned identity."""
    return next(identity for identity in vm(vm_name)["identities"] if identity["kind"] == "SystemAssigned")


def user_assigned(name: str = "app", vm_name: str = "dev") -> dict:
    """A user-assigned identity of a VM."""
    identities = vm(vm_name)["identities"]
    return next(identity for identity in identities if identity["kind"] == "UserAssigned" and identity["name"] == name)


def claims(token: str) -> dict:
    """What a token says, unverified."""
    header, payload, signature = token.split(".")
    assert header and signature, "a token has three parts"
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def assert_token(token: str, identity: dict, audience: str = ARM) -> dict:
    """The token is `identity`'s and for `audience`; its claims."""
    said = claims(token)
    expected = {
        "aud": audience,
        "appid": identity["clientId"],
        "oid": identity["principalId"],
        "sub": identity["principalId"],
        "tid": READY["tenantId"],
        "iss": f"https://sts.windows.net/{READY['tenantId']}/",
        "ver": "1.0",
    }
    assert {name: said.get(name) for name in expected} == expected, f"{said} instead of {expected}"
    return said


def requests_counted() -> int | None:
    """How many requests symbolon has answered on its token endpoints, or None when it doesn't say."""
    with urllib.request.urlopen(f"{READY['metrics']}/metrics", timeout=5) as reply:
        counts = [float(count) for _, count in COUNTED.findall(reply.read().decode())]
    return int(sum(counts)) if counts else None


@contextmanager
def one_request(within_seconds: float = 2.0) -> Iterator[None]:
    """The block makes exactly one request. Where nobody counts, its duration tells: every client's retries together
    take longer."""
    before, started = requests_counted(), time.monotonic()
    yield
    took, after = time.monotonic() - started, requests_counted()
    if before is not None and after is not None:
        assert after - before == 1, f"{after - before} requests instead of one"
        return
    assert took < within_seconds, f"took {took:.1f} s: it was repeated"
