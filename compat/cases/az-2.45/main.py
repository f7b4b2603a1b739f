"""`az` of Debian bookworm: without `core.instance_discovery`, so the authority is an ADFS to it."""

import machines
import templates
import world
from az_cli import HOME, Az
from checks import Checks

ARM, TENANT, SUB = (world.READY[key] for key in ("arm", "tenantId", "subscriptionId"))
ADMIN = world.READY["admin"]
GROUP = f"/subscriptions/{SUB}/resourceGroups/rg1"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm1"
UA = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
LINUX, PUBLISHER, PORT = "ManagedIdentityExtensionForLinux", "Microsoft.ManagedIdentity", 50361
BOTH = f"--identities [system] {UA}/id1"
SETTINGS = '{"port":%d}' % PORT

checks = Checks()
az = Az(checks)
vm_template, scale_set_template = templates.write(HOME)


def names(said: list) -> list[str]:
    """Of a list."""
    return [one["name"] for one in said]


def machine(name: str, look) -> None:
    """A check of the machine itself."""
    with checks.check(f"vm1: {name}"):
        assert look(), name


with checks.check("all commands ran"):
    az("config set core.collect_telemetry=no core.survey_message=no")
    az(f"cloud register -n symbolon --endpoint-resource-manager {ARM}")
    az(f"cloud update -n symbolon --endpoint-active-directory {ARM}/adfs")
    az("cloud set -n symbolon")
    login = f"login --service-principal -u {ADMIN['clientId']} --tenant {TENANT}"
    az(f"{login} --password={ADMIN['clientSecret']}", look=lambda said: said[0]["id"] == SUB, name="az login: secret, ADFS style")
    az("group create -n rg1 -l westus")
    one = az("identity create -g rg1 -n id1")
    az("identity federated-credential create -g rg1 --identity-name id1 -n f --issuer https://issuer.example --subject s")
    az(f"deployment group create -g rg1 -n d1 --template-file {vm_template}")
    az(f"deployment group create -g rg1 -n d2 --template-file {scale_set_template}")
    az("vm list -g rg1", look=lambda said: names(said) == ["vm1"])
    az("vm show -g rg1 -n vm1")
    az(f"vm identity assign -g rg1 -n vm1 {BOTH}")
    machine("id1 served", lambda: machines.assert_gets(VM, one["principalId"], client_id=one["clientId"]) is None)
    az(f"vm identity remove -g rg1 -n vm1 --identities {UA}/id1")
    machine("id1 refused", lambda: machines.assert_refused(VM, client_id=one["clientId"]) is None)
    what = f"-g rg1 --vm-name vm1 -n {LINUX}"
    az(f"vm extension set {what} --publisher {PUBLISHER} --version 1.0 --force-update --settings", SETTINGS)
    machine("the extension's port is open", lambda: machines.is_open(VM, PORT))
    az("vm extension list -g rg1 --vm-name vm1", look=lambda said: LINUX in names(said))
    az(f"vm extension delete {what}")
    machine("the extension's port is closed", lambda: not machines.is_open(VM, PORT))
    az(f"vm extension image list -l westus -p {PUBLISHER}", look=lambda said: LINUX in names(said))
    az(f"vmss identity assign -g rg1 -n vmss1 {BOTH}")
    what = f"-g rg1 --vmss-name vmss1 -n {LINUX}"
    az(f"vmss extension set {what} --publisher {PUBLISHER} --version 1.0 --settings", SETTINGS)
    az(f"vmss extension delete {what}")
    az("group export -n rg1", look=lambda said: said["resources"])
    az(f"deployment group what-if -g rg1 -n d1 --template-file {vm_template} --no-pretty-print")
    az("group delete -n rg1 -y")
checks.done()
