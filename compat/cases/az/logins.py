"""Registering the cloud and signing in."""

import json
import time
from pathlib import Path

import jwt
import machines
import world
from az_cli import HOME, Az

ARM, TENANT, SUB = (world.READY[key] for key in ("arm", "tenantId", "subscriptionId"))
ADMIN, SECRET = world.READY["admin"]["clientId"], world.READY["admin"]["clientSecret"]
APP, PEM = "0a1b2c3d-1111-4222-8333-444455556671", world.READY["credentials"]["pem"]
SIGN_IN = "login --service-principal -u"
SETTINGS = "config set core.instance_discovery=false core.collect_telemetry=no core.survey_message=no auto-upgrade.enable=no"


def federated_token() -> str:
    """The other issuer's word for the application."""
    now = int(time.time())
    said = {
        "iss": "https://issuer.example",
        "sub": "ci",
        "aud": "api://AzureADTokenExchange",
        "iat": now,
        "nbf": now,
        "exp": now + 600,
    }
    key = Path(world.READY["credentials"]["issuerKey"]).read_text()
    return jwt.encode(said, key, "RS256", headers={"kid": "issuer-key"})


def audience(said: dict) -> str:
    """Of the token that `az account get-access-token` prints."""
    return world.claims(said["accessToken"])["aud"]


def set_up(az: Az) -> None:
    """The cloud, chosen."""
    az(SETTINGS)
    az(f"cloud register -n symbolon --endpoint-resource-manager {ARM}")
    az("cloud set -n symbolon")
    az("cloud show", look=lambda said: said["endpoints"]["activeDirectoryResourceId"].rstrip("/") == ARM)
    az("group list", code=1, says="Please run 'az login' to setup account.", name="before any login: az group list")


def applications(az: Az) -> None:
    """Every way of an application that is served; at the end the admin is signed in."""
    is_sample = lambda said: [(one["id"], one["tenantId"]) for one in said] == [(SUB, TENANT)]  # noqa: E731
    refused = "AADSTS7000215"
    az(f"{SIGN_IN} {ADMIN} -p wrong --tenant {TENANT}", code=1, says=refused, name="az login: a wrong secret")
    az("account clear")
    certificate = f"{SIGN_IN} {APP} --certificate {PEM} --tenant {TENANT}"
    az(certificate, look=is_sample, name="az login: certificate")
    az.run("account", "clear")
    az(f"{certificate} --use-cert-sn-issuer", look=is_sample, name="az login: certificate with --use-cert-sn-issuer")
    az.run("account", "clear")
    federated = ("--federated-token", federated_token())
    az(f"{SIGN_IN} {APP} --tenant {TENANT}", *federated, look=is_sample, name="az login: federated token")
    az.run("account", "clear")
    forged = ("--federated-token", federated[1][:-8] + "AAAAAAAA")
    az(f"{SIGN_IN} {APP} --tenant {TENANT}", *forged, code=1, says="AADSTS", name="az login: a forged federated token")
    az.run("account", "clear")
    named = f"{SIGN_IN} {ADMIN} --password={SECRET} --tenant sample.test"
    az(named, look=lambda said: said[0]["tenantId"] == TENANT, name="az login: the tenant by its domain")
    az("logout")
    admin(az)
    az("account show", look=lambda said: said["id"] == SUB)
    az("account list --refresh", look=is_sample)
    az("account get-access-token", look=lambda said: audience(said) == f"{ARM}/")
    az(f"account get-access-token --tenant {TENANT}")
    management = "https://management.azure.com/"
    az(f"account get-access-token --resource {management}", look=lambda said: audience(said) == management)
    az("account list-locations", look=lambda said: "westus" in [one["name"] for one in said])
    tenants = ("--url", "/tenants?api-version=2022-12-01")
    az("rest --method get", *tenants, look=lambda said: said["value"][0]["tenantId"] == TENANT)


def admin(az: Az) -> None:
    """The one who may do everything."""
    az.run("account", "clear")
    az.run(*f"{SIGN_IN} {ADMIN} --password={SECRET} --tenant {TENANT}".split())


def managed_identities(az: Az) -> None:
    """`az login --identity` on the first machine, which has a system-assigned identity and one more."""
    system, app = world.system_assigned(), world.user_assigned()
    az("login --identity", code=1, says="No access was configured", name="az login --identity without any role")
    admin(az)
    for who in (system, app):
        role = f"role assignment create --assignee-object-id {who['principalId']} --assignee-principal-type ServicePrincipal"
        az(f"{role} --role Reader --scope /subscriptions/{SUB}", name=f"az role assignment create: {who['kind']}")
    az("login --identity", look=lambda said: said[0]["user"]["assignedIdentityInfo"] == "MSI")
    az("account show", look=lambda said: said["user"]["type"] == "servicePrincipal", name="az account show: an identity")
    az("account get-access-token --resource https://vault.azure.net", look=lambda said: is_of(said, system))
    storage = "https://storage.azure.com"
    az(f"account get-access-token --scope {storage}/.default", look=lambda said: audience(said) == storage)
    az("group list", look=lambda said: "dev" in [one["name"] for one in said], name="an identity that may read: az group list")
    create = "group create -n rg-forbidden -l westus"
    az(create, code=1, says="(AuthorizationFailed)", name="an identity that may not write: az group create")
    for flag, value in (("client-id", app["clientId"]), ("object-id", app["principalId"]), ("resource-id", app["id"])):
        az(f"login --identity --{flag} {value}", name=f"az login --identity --{flag}")
        az("account get-access-token", look=lambda said: is_of(said, app), name=f"--{flag}: the token is its own")
    old = f"login --identity --username {app['clientId']}"
    az(old, code=1, says="no longer supported", name="az login --identity --username")
    lacks = f"login --identity --client-id {world.STRANGER_CLIENT_ID}"
    az(lacks, code=1, says="Identity not found", name="az login --identity: one that the machine hasn't")
    with az.checks.check("the metadata service knows its machine"):
        machines.assert_gets(world.vm()["id"], system["principalId"])


def take_roles_back(az: Az) -> None:
    """The first machine's identities may do nothing again: the cases of a seed share its world."""
    admin(az)
    listed = f"role assignment list --scope /subscriptions/{SUB} --fill-principal-name false".split()
    given = [one["id"] for one in az.run(*listed) if one["scope"] == f"/subscriptions/{SUB}"]
    az("role assignment delete --ids", *given, name="az role assignment delete: several at once")
    az("login --identity", code=1, says="No access was configured", name="az login --identity after its role is gone")


def is_of(said: dict, identity: dict) -> bool:
    """Whether the token printed is that identity's."""
    return world.claims(said["accessToken"])["oid"] == identity["principalId"]


def variants(az: Az) -> None:
    """Other ways of registering the cloud, each followed by a login, and two that can't work."""
    core, management = "https://management.core.windows.net/", "https://management.azure.com"
    config = {"endpoints": {"resourceManager": ARM, "activeDirectory": ARM}, "suffixes": {"storageEndpoint": "sample.test"}}
    config["endpoints"]["activeDirectoryResourceId"] = f"{management}/"
    (HOME / "cloud.json").write_text(json.dumps(config))
    directory = f"--endpoint-active-directory {ARM} --endpoint-active-directory-resource-id"
    clouds = {
        "B": (f"--skip-endpoint-discovery --endpoint-resource-manager {ARM} {directory} {core}", core),
        "C": (f"--endpoint-resource-manager {ARM}/ {directory} {management}", management),
        "D": ("--cloud-config @cloud.json --skip-endpoint-discovery", f"{management}/"),
        "E": ("--cloud-config @cloud.json", f"{management}/"),
    }
    for name, (options, resource) in clouds.items():
        az(f"cloud register -n {name} {options}", name=f"cloud {name}: az cloud register {options.replace(ARM, 'ARM')}")
        az.run("cloud", "set", "-n", name)
        with az.checks.check(f"cloud {name}: login and az group list"):
            admin(az)
            assert az.run("group", "list")
        az("account get-access-token", look=lambda said, r=resource: audience(said) == r, name=f"cloud {name}: audience")
    found = Az(az.checks, "found", ARM_CLOUD_METADATA_URL=f"{ARM}/metadata/endpoints?api-version=2019-05-01")
    found("cloud list", look=lambda said: ARM in [one["endpoints"]["resourceManager"].rstrip("/") for one in said],
          name="az cloud list with ARM_CLOUD_METADATA_URL")  # fmt: skip
    plain = Az(az.checks, "plain")
    with az.checks.check("a control plane without TLS: login refused by az itself"):
        plain.run(*SETTINGS.split())
        plain.run(*f"cloud register -n H {clouds['B'][0]}".replace(
            f"--endpoint-resource-manager {ARM}", f"--endpoint-resource-manager {ARM.replace('https:', 'http:')}"
        ).split())  # fmt: skip
        plain.run("cloud", "set", "-n", "H")
        login = f"{SIGN_IN} {ADMIN} --password={SECRET} --tenant {TENANT}".split()
        plain.run(*login, code=1, says="not permitted for non-TLS protected")
    with az.checks.check("instance discovery on: login fails, az login --identity doesn't"):
        plain.run("config", "set", "core.instance_discovery=true")
        plain.run(*f"cloud register -n I --endpoint-resource-manager {ARM}".split())
        plain.run("cloud", "set", "-n", "I")
        plain.run(*login, code=1, says="login.microsoftonline.com")
        plain.run("login", "--identity")
