"""Signing in as a person: by a device code, on the authority's own page, and by a password, which can't work."""

import re
import subprocess

import world
from az_cli import Az
from device_login import PAGE, send
from logins import ADMIN, SECRET, TENANT

SHOWN = re.compile(r"open the page (\S+) and enter the code (\S+) to authenticate")
SECONDS = 60


def device_codes(az: Az) -> None:
    """With the tenant named, and without: then `az` asks for the tenants and renews the sign-in for each."""
    az.run("account", "clear")
    for name, words, account in (
        (f"--tenant {TENANT}", ["--tenant", TENANT], "admin"),
        ("without a tenant", [], ADMIN),
    ):
        with az.checks.check(f"az login --use-device-code {name.replace(TENANT, 'TENANT')}"):
            login = az.start("login", "--use-device-code", *words)
            try:
                page, code = shown_code(login)
                assert page == PAGE, page
                assert "Azure CLI" in send(user_code=code)
                send(status=401, user_code=code, action="approve", account=account, secret="wrong")
                send(user_code=code, action="approve", account=account, secret=SECRET)
                stdout, stderr = login.communicate(timeout=SECONDS)
            finally:
                login.kill()
            assert login.returncode == 0, stderr[-1500:]
        is_admin = {"name": "admin@sample.test", "type": "user"}
        az("account show", look=lambda said, who=is_admin: said["user"] == who, name=f"az account show: a person, {name[:8]}")
        az("group list", look=lambda said: said, name=f"az group list: a person, {name[:8]}")
        vault = "https://vault.azure.net"
        az(f"account get-access-token --resource {vault}", look=lambda said: is_persons(said, vault),
           name=f"az account get-access-token: another resource, {name[:8]}")  # fmt: skip
        az("logout", name=f"az logout: a person, {name[:8]}")
    with az.checks.check("az login --use-device-code: declined"):
        login = az.start("login", "--use-device-code", "--tenant", TENANT)
        try:
            _, code = shown_code(login)
            send(user_code=code, action="decline")
            _, stderr = login.communicate(timeout=SECONDS)
        finally:
            login.kill()
        assert login.returncode == 1 and "AADSTS65004" in stderr, stderr[-1500:]


def password(az: Az) -> None:
    """MSAL asks port 443 for what kind of user it is, and there is nobody."""
    az(f"login -u user@sample.test -p pw --tenant {TENANT}", code=1, name="az login: a user's password")


def shown_code(login: subprocess.Popen) -> tuple[str, str]:
    """The page and the code that `az` shows; it goes on to ask whether somebody has been there."""
    told = ""
    for line in login.stderr:
        told += line
        found = SHOWN.search(line)
        if found:
            return found.groups()
    raise AssertionError(f"no code was shown:\n{told[-1500:]}")


def is_persons(said: dict, audience: str) -> bool:
    """Whether the token printed is a person's, for this audience."""
    claims = world.claims(said["accessToken"])
    return (claims["aud"], claims["idtyp"], claims["upn"]) == (audience, "user", "admin@sample.test")
