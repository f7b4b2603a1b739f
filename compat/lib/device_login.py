"""The authority's page on which a person lets a program in that shows a code."""

import ssl
import urllib.error
import urllib.parse
import urllib.request

import world

PAGE = f"{world.READY['authority']}/devicelogin"
SECONDS = 60


def send(*, status: int = 200, **form: str) -> str:
    """A form of the page; what it says then."""
    tls = ssl.create_default_context(cafile=world.READY["caFile"])
    headers = {"Origin": world.READY["authority"]}
    request = urllib.request.Request(PAGE, data=urllib.parse.urlencode(form).encode(), headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=SECONDS, context=tls) as reply:
            found, text = reply.status, reply.read().decode()
    except urllib.error.HTTPError as refusal:
        found, text = refusal.code, refusal.read().decode()
    assert found == status, (found, text)
    return text


def approve(user_code: str) -> None:
    """Signs the admin in to the program that shows this code."""
    admin = world.READY["admin"]
    send(user_code=user_code, action="approve", account="admin", secret=admin["clientSecret"])
