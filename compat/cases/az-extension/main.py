"""Microsoft's article on the extension, followed from its first step to its last with `az` and real guests: provisioned by
command and by template on VMs and on a scale set, asked for tokens, restarted after a failure, removed. Its misprints are
set right: `az vm extension delete` for `az vm identity`, and `--vmss-name`."""

import json
import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

import templates
import world
from arm import Arm
from az_cli import HOME, Az
from checks import Checks
from guest_machine import PORT, Machine, within

PUBLISHER, LINUX, WINDOWS = "Microsoft.ManagedIdentity", "ManagedIdentityExtensionForLinux", "ManagedIdentityExtensionForWindows"
ADMIN, ARM, TENANT, SUB = world.READY["admin"], world.READY["arm"], world.READY["tenantId"], world.READY["subscriptionId"]
SETTINGS = json.dumps({"port": PORT})
ON_VM = f"-g dev --vm-name one -n {LINUX}"
ON_SCALE_SET = f"-g dev --vmss-name web -n {LINUX}"
MEMBERS = ["access_token", "refresh_token", "expires_in", "expires_on", "not_before", "resource", "token_type"]


def main() -> None:
    (package,) = Path(sys.argv[1]).glob("*-1.0.0.0.zip")
    checks = Checks()
    az = Az(checks)
    with ExitStack() as stack:
        machines = []
        for number, name in enumerate(("one", "two", "web_0", "web_1"), 1):
            machines.append(Machine(number, name, package))
            stack.callback(machines[-1].stop)
        one, two, *web = machines
        one.start()
        two.start()
        with checks.check("az signs in"):
            sign_in(az)
        provision(az, one)
        ask(checks, one)
        restart(az, one)
        by_template(az, two)
        export(az)
        remove(az, one, two)
        scale_set(az, web)
    checks.done()


def sign_in(az: Az) -> None:
    """The cloud, and the administrator."""
    az.run(*"config set core.instance_discovery=false core.collect_telemetry=no auto-upgrade.enable=no".split())
    az.run("cloud", "register", "-n", "symbolon", "--endpoint-resource-manager", ARM)
    az.run("cloud", "set", "-n", "symbolon")
    secret = ADMIN["clientSecret"]
    az.run("login", "--service-principal", "-u", ADMIN["clientId"], "-p", secret, "--tenant", TENANT)


def provision(az: Az, one: Machine) -> None:
    """Provision the extension."""
    az(f"vm extension set {ON_VM} --publisher {PUBLISHER} --version 1.0 --settings", SETTINGS,
       look=lambda said: said["provisioningState"] == "Succeeded")  # fmt: skip
    az(f"vm extension show {ON_VM} --instance-view",
       look=lambda said: said["instanceView"]["statuses"][0]["displayStatus"] == "Provisioning succeeded")  # fmt: skip
    az("vm get-instance-view -g dev -n one",
       look=lambda said: said["instanceView"]["vmAgent"]["statuses"][0]["displayStatus"] == "Ready")  # fmt: skip
    with az.checks.check("the credential is on the VM, for root alone"):
        assert len(one.credentials()) == 2, one.credentials()
        assert all(file.stat().st_mode & 0o777 == 0o600 for file in one.credentials().values())


def ask(checks: Checks, one: Machine) -> None:
    """Acquire a token."""
    with checks.check("a token by the article's request, in the article's form"):
        status, body = one.asks()
        assert status == 200 and list(body) == MEMBERS, body
        assert all(isinstance(value, str) for value in body.values()), body
        assert (body["refresh_token"], body["token_type"], body["resource"]) == ("", "Bearer", world.ARM), body
        assert int(body["expires_on"]) - int(body["not_before"]) == 3_900, body
        world.assert_token(body["access_token"], world.system_assigned("one"))
    user = world.user_assigned("one-only", "one")
    for name, value in (("client_id", user["clientId"]), ("object_id", user["principalId"])):
        with checks.check(f"a token of the user-assigned identity by {name}"):
            status, body = one.asks(**{name: value})
            assert status == 200, body
            world.assert_token(body["access_token"], user)
    with checks.check("no token without the header Metadata"):
        status, body = one.network.ask(f"http://localhost:{PORT}/oauth2/token?resource={world.ARM}")
        assert (status, json.loads(body)["error"]) == (400, "bad_request_102"), body


def restart(az: Az, one: Machine) -> None:
    """Restart the extension after a failure."""
    with az.checks.check("the endpoint dies, and nothing but the agent's user brings it back"):
        os.kill(endpoint(one), signal.SIGKILL)
        within(lambda: "refused" in failure(one), "the end of the endpoint")
    az(f"vm extension set {ON_VM} --publisher {PUBLISHER} --version 1.0 --force-update --settings", SETTINGS)
    with az.checks.check("a token after --force-update"):
        assert one.asks()[0] == 200


def by_template(az: Az, two: Machine) -> None:
    """The article's template, for Linux, of a VM that is there."""
    (resource,) = (one for one in templates.VM["resources"] if one["type"].endswith("/extensions"))
    text = json.dumps({"resources": [resource]}).replace(WINDOWS, LINUX)
    (resource,) = json.loads(text)["resources"]
    resource.pop("dependsOn", None)
    resource["name"] = f"[concat(variables('vmName'),'/{LINUX}')]"
    template = {
        "$schema": templates.VM["$schema"], "contentVersion": "1.0.0.0", "variables": {"vmName": "two"},
        "resources": [resource],
    }  # fmt: skip
    (HOME / "extension.json").write_text(json.dumps(template))
    az("deployment group create -g dev -n extension --template-file", str(HOME / "extension.json"),
       look=lambda said: said["properties"]["provisioningState"] == "Succeeded",
       name="az deployment group create: the article's template")  # fmt: skip
    with az.checks.check("a token of the other VM's own identity"):
        status, body = two.asks()
        assert status == 200, body
        world.assert_token(body["access_token"], world.system_assigned("two"))


def export(az: Az) -> None:
    """The automation script leaves the extension out."""
    with az.checks.check("the exported template has no extension"):
        ended = az.run("group", "export", "-n", "dev")
        types = [resource["type"] for resource in ended["resources"]]
        assert "Microsoft.Compute/virtualMachines" in types, types
        assert not any(found.endswith("/extensions") for found in types), types


def remove(az: Az, *machines: Machine) -> None:
    """Remove the extension."""
    for machine in machines:
        az(f"vm extension delete -g dev --vm-name {machine.name} -n {LINUX}")
        az(f"vm extension list -g dev --vm-name {machine.name}", look=lambda said: said == [])
        with az.checks.check(f"{machine.name}: the port is closed and no credential is left"):
            machine.assert_serves_nothing()


def scale_set(az: Az, web: list[Machine]) -> None:
    """The same on a scale set, of which each machine has an agent."""
    arm = Arm()
    path = f"/subscriptions/{SUB}/resourceGroups/dev/providers/Microsoft.Compute/virtualMachineScaleSets/web"
    (template,) = templates.SCALE_SET["resources"]
    body = {key: template[key] for key in ("identity", "sku")} | {
        "location": "westus",
        "properties": {"upgradePolicy": {"mode": "Manual"}, "virtualMachineProfile": {}},
    }
    with az.checks.check("a scale set of two machines, each with its agent"):
        arm.do("PUT", path, body)
        for machine in web:
            machine.start()
    az(f"vmss extension set {ON_SCALE_SET} --publisher {PUBLISHER} --version 1.0 --settings", SETTINGS)
    az("vmss update-instances -g dev -n web --instance-ids *")
    with az.checks.check("each machine gets tokens by a credential of its own"):
        principal = arm.get(path)["identity"]["principalId"]
        for number, machine in enumerate(web):
            status, body = machine.asks()
            assert status == 200, body
            said = world.claims(body["access_token"])
            assert said["oid"] == principal, said
            view = arm.get(f"{path}/virtualMachines/{number}/instanceView")
            assert view["extensions"][0]["statuses"][0]["code"] == "ProvisioningState/succeeded", view
        held = [json.loads(file.read_text()) for machine in web for file in machine.credentials().values()]
        assert len(held) == 2 and held[0]["privateKey"] != held[1]["privateKey"], "they share a key"
    az(f"vmss extension delete {ON_SCALE_SET}")
    az("vmss update-instances -g dev -n web --instance-ids *", name="az vmss update-instances: without the extension")
    for machine in web:
        with az.checks.check(f"{machine.name}: the port is closed and no credential is left"):
            machine.assert_serves_nothing()
    az("vmss delete -g dev -n web")


def endpoint(machine: Machine) -> int:
    """The process that serves in a guest: the one of its network."""
    holder = os.readlink(f"/proc/{machine.network.holder.pid}/ns/net")
    for entry in Path("/proc").iterdir():
        try:
            if b"symbolon-guest\0serve" in (entry / "cmdline").read_bytes() and os.readlink(entry / "ns/net") == holder:
                return int(entry.name)
        except OSError:
            continue
    raise AssertionError("nobody serves")


def failure(machine: Machine) -> str:
    """Why a guest's caller gets nothing."""
    try:
        return str(machine.asks())
    except OSError as why:
        return str(why)


main()
