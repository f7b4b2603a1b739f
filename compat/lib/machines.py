"""The machines of a running symbolon, from within: their metadata service and their extension's port."""

import json
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import world

WAIT_SECONDS = 5


def machine(vm_id: str) -> dict:
    """A machine as symbolon tells of it now."""
    file = Path(world.READY["caFile"]).parent.parent / "instance.json"
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        found = [vm for vm in json.loads(file.read_text())["vms"] if vm["id"].lower() == vm_id.lower()]
        if found or time.monotonic() > deadline:
            (one,) = found
            return one
        time.sleep(0.05)


def metadata_token(vm_id: str, **selector: str) -> tuple[int, dict]:
    """What the machine's metadata service answers to the question for a token."""
    query = {"api-version": "2018-02-01", "resource": world.ARM, **selector}
    url = f"{machine(vm_id)['imds']}/metadata/identity/oauth2/token?{urllib.parse.urlencode(query)}"
    return answer(urllib.request.Request(url, headers={"Metadata": "true"}))


def assert_gets(vm_id: str, principal_id: str, **selector: str) -> None:
    """It gives a token of this identity."""
    status, said = metadata_token(vm_id, **selector)
    assert status == 200, (status, said)
    assert world.claims(said["access_token"])["oid"] == principal_id, world.claims(said["access_token"])


def assert_refused(vm_id: str, **selector: str) -> None:
    """It gives none."""
    status, said = metadata_token(vm_id, **selector)
    assert status == 400 and said.get("error") and "access_token" not in said, (status, said)


def extension_token(vm_id: str, port: int) -> tuple[int, dict]:
    """What the extension's endpoint answers to the form, as old clients send it."""
    form = urllib.parse.urlencode({"resource": world.ARM}).encode()
    url = f"http://{address(vm_id)}:{port}/oauth2/token"
    return answer(urllib.request.Request(url, data=form, headers={"Metadata": "true", "Host": f"localhost:{port}"}))


def is_open(vm_id: str, port: int) -> bool:
    """Whether somebody listens on that port of the machine."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((address(vm_id), port)) == 0


def is_gone(base_url: str) -> bool:
    """Whether nobody listens at this address any more."""
    place = urllib.parse.urlsplit(base_url)
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((place.hostname, place.port or 80)) != 0


def address(vm_id: str) -> str:
    """The machine's own "localhost"."""
    told = machine(vm_id)
    return urllib.parse.urlsplit(told["extension"] or told["imds"]).hostname


def answer(request: urllib.request.Request) -> tuple[int, dict]:
    """Status and body."""
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)
