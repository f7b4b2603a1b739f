"""The control plane by `az`: everything in one resource group, from its creation to its end."""

from collections.abc import Callable

import machines
import templates
import world
from az_cli import HOME, Az

ARM, SUB = world.READY["arm"], world.READY["subscriptionId"]
GROUP = f"/subscriptions/{SUB}/resourceGroups/rg1"
UA = f"/subscriptions/{SUB}/resourcegroups/rg1/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
COMPUTE = f"{GROUP}/providers/Microsoft.Compute"
VM, SCALE_SET = f"{COMPUTE}/virtualMachines/vm1", f"{COMPUTE}/virtualMachineScaleSets/vmss1"
LINUX, WINDOWS = "ManagedIdentityExtensionForLinux", "ManagedIdentityExtensionForWindows"
PUBLISHER = "Microsoft.ManagedIdentity"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
SYSTEM = "[system]"
BOTH = "SystemAssigned, UserAssigned"
PORT, SECOND_PORT, THIRD_PORT = 50342, 50361, 50362


def names(said: list) -> list[str]:
    """Of a list."""
    return [one["name"] for one in said]


def assigned(identity: dict | None) -> list[str]:
    """The names of the user-assigned identities."""
    ids = (identity or {}).get("userAssignedIdentities") or {}
    return sorted(name.rsplit("/", 1)[1] for name in ids)


def is_kind(identity: dict | None, kind: str, *ids: str) -> bool:
    """Exactly this type, spelt this way, and these."""
    return identity is not None and identity["type"] == kind and assigned(identity) == list(ids)


class Resources:
    """The commands, in their order."""

    def __init__(self, az: Az) -> None:
        self.az = az
        self.vm_template, self.scale_set_template = templates.write(HOME)
        self.principals: dict[str, dict] = {}

    def parts(self) -> list[Callable[[Az], None]]:
        """All of them."""
        return [
            self.group,
            self.identities,
            self.deployments,
            self.look_at_machines,
            self.vm_identities,
            self.failures,
            self.catalogue,
            self.extensions,
            self.scale_set,
            self.scale_set_extensions,
            self.power,
            self.generic,
            self.roles,
        ]

    def group(self, az: Az) -> None:
        """Resource groups."""
        az("group create -n rg1 -l westus", look=lambda said: said["properties"]["provisioningState"] == "Succeeded")
        az("group exists -n rg1", look=lambda said: said is True)
        az("group exists -n nope", look=lambda said: said is False)
        az("group show -n rg1", look=lambda said: said["id"] == GROUP)
        az("group list", look=lambda said: "rg1" in names(said))
        az("group list --tag a=b", look=lambda said: said == [])
        az("group show -n nope", code=3, says="(ResourceGroupNotFound) Resource group 'nope' could not be found.")

    def identities(self, az: Az) -> None:
        """User-assigned identities and their federated credentials."""
        self.principals["id1"] = az("identity create -g rg1 -n id1", look=lambda said: said["location"] == "westus")
        tagged = az("identity create -g rg1 -n id2 -l westus --tags a=b", look=lambda said: said["tags"] == {"a": "b"})
        self.principals["id2"] = tagged
        az("identity list -g rg1", look=lambda said: names(said) == ["id1", "id2"])
        az("identity list", look=lambda said: {"app", "id1", "id2"} <= set(names(said)))
        az("identity show -g rg1 -n id1", look=lambda said: said["principalId"] == self.principals["id1"]["principalId"])
        credential = "identity federated-credential"
        where = "-g rg1 --identity-name id1"
        what = "--issuer https://issuer.example --audiences api://AzureADTokenExchange --subject"
        az(f"{credential} create {where} -n fic1 {what} system:sa:a", look=lambda said: said["subject"] == "system:sa:a")
        az(f"{credential} list {where}", look=lambda said: names(said) == ["fic1"])
        az(f"{credential} show {where} -n fic1", look=lambda said: said["issuer"] == "https://issuer.example")
        az(f"{credential} update {where} -n fic1 {what} system:sa:b", look=lambda said: said["subject"] == "system:sa:b")
        az(f"{credential} delete {where} -n fic1 -y")
        az("identity list-resources -g rg1 -n id1", look=lambda said: said == [])

    def deployments(self, az: Az) -> None:
        """Templates. The file holds comments, CR and LF and a byte order mark."""
        file = f"--template-file {self.vm_template}"
        az(f"deployment group validate -g rg1 -n d1 {file}")
        az(f"deployment group what-if -g rg1 -n d1 {file} --no-pretty-print",
           look=lambda said: sorted(one["changeType"] for one in said["changes"]) == ["Create", "Create", "Ignore", "Ignore"])  # fmt: skip
        az(f"deployment group create -g rg1 -n d1 {file}", look=is_deployed)
        az("deployment group show -g rg1 -n d1", look=is_deployed)
        az("deployment group list -g rg1", look=lambda said: "d1" in names(said))
        az("deployment operation group list -g rg1 -n d1",
           look=lambda said: {one["properties"]["provisioningState"] for one in said} == {"Succeeded"})  # fmt: skip
        file = f"--template-file {self.scale_set_template}"
        az(f"deployment group create -g rg1 -n d2 {file} --parameters vmssName=vmss1")
        az(f"deployment group create -g rg1 -n d3 {file} --parameters nosuch=1", code=1,
           says="unrecognized template parameter 'nosuch'")  # fmt: skip
        az("deployment group show -g rg1 -n nope", code=3, says="(DeploymentNotFound) Deployment 'nope' could not be found.")
        bad = HOME / "bad.json"
        bad.write_text(self.scale_set_template.read_text().replace("parameters('vmssName')", "nofunc('x')"))
        az(f"deployment group create -g rg1 -n d4 --template-file {bad}", code=1, says="InvalidTemplate")

    def look_at_machines(self, az: Az) -> None:
        """What was deployed."""
        az("vm list -g rg1", look=lambda said: names(said) == ["vm1"])
        az("vm list", look=lambda said: {"dev", "vm1"} <= set(names(said)))
        az("vm list -g rg1 -d", look=lambda said: said[0]["powerState"] == "VM running")
        az("vm list -g nope", code=3, says="(ResourceGroupNotFound) Resource group 'nope' could not be found.")
        az("vm show -g rg1 -n vm1", look=lambda said: said["resources"][0]["name"] == WINDOWS)
        az("vm show -g rg1 -n vm1 -d", look=lambda said: said["powerState"] == "VM running")
        az("vm get-instance-view -g rg1 -n vm1", look=lambda said: said["instanceView"]["extensions"][0]["name"] == WINDOWS)

    def vm_identities(self, az: Az) -> None:
        """Assigning and removing; the machine's metadata service follows at once."""
        one, two = self.principals["id1"], self.principals["id2"]
        system = az("vm identity show -g rg1 -n vm1", look=lambda said: is_kind(said, "SystemAssigned"))["principalId"]
        self.machine("the new machine gives its system-assigned identity's token", lambda: machines.assert_gets(VM, system))
        self.machine("before it is assigned: id1 refused", lambda: machines.assert_refused(VM, client_id=one["clientId"]))
        az("vm identity assign -g rg1 -n vm1", look=lambda said: said["systemAssignedIdentity"] == system)
        az("vm identity assign -g rg1 -n vm1 --identities id1", look=lambda said: said["systemAssignedIdentity"] == system)
        by_client = {"client_id": one["clientId"]}
        self.machine("assigned: id1 served", lambda: machines.assert_gets(VM, one["principalId"], **by_client))
        az(f"vm identity assign -g rg1 -n vm1 --identities {SYSTEM} {UA}/id2")
        az("vm identity show -g rg1 -n vm1", look=lambda said: is_kind(said, BOTH, "id1", "id2"),
           name="az vm identity show: the type's exact spelling and both identities, each once")  # fmt: skip
        az("identity list-resources -g rg1 -n id2", look=lambda said: names(said) == ["vm1"], name="az identity list-resources: the VM")
        az("vm identity remove -g rg1 -n vm1 --identities id1")
        self.machine("removed: id1 refused", lambda: machines.assert_refused(VM, **by_client))
        self.machine("id2 still served", lambda: machines.assert_gets(VM, two["principalId"], object_id=two["principalId"]))
        az("vm identity remove -g rg1 -n vm1")
        az("vm identity show -g rg1 -n vm1", look=lambda said: is_kind(said, "UserAssigned", "id2"),
           name="az vm identity show: only id2")  # fmt: skip
        self.machine("the only one left is the default", lambda: machines.assert_gets(VM, two["principalId"]))
        az("vm identity remove -g rg1 -n vm1 --identities id2")
        az("vm identity show -g rg1 -n vm1", look=lambda said: said is None, name="az vm identity show: none")
        self.machine("without any identity: refused", lambda: machines.assert_refused(VM))
        az(f"vm identity assign -g rg1 -n vm1 --identities {SYSTEM}")
        new = az("vm identity show -g rg1 -n vm1", look=lambda said: said["principalId"] != system,
                 name="az vm identity show: a new system-assigned identity")["principalId"]  # fmt: skip
        self.machine("the new one served", lambda: machines.assert_gets(VM, new))
        az(f"vm identity assign -g rg1 -n vm1 --scope {GROUP} --role Reader")

    def machine(self, name: str, look) -> None:
        """A check of the machine itself."""
        with self.az.checks.check(f"vm1: {name}"):
            look()

    def failures(self, az: Az) -> None:
        """What the article says and az doesn't know, and what az refuses by itself."""
        article = f"vm identity --resource-group rg1 --vm-name vm1 -n {WINDOWS}"
        az(article, code=2, says="'rg1' is misspelled or not recognized by the system.")
        article = f"vmss extension delete -n {WINDOWS} -g rg1 -vmss-name vmss1"
        az(article, code=2, says="the following arguments are required: --vmss-name")
        az("vm update -g rg1 -n vm1 --set tags.a=b", code=1, says="Couldn't find 'tags' in ''", name="az vm update without tags")
        az("rest --method get --url", f"/subscriptions/{SUB}/resourceGroups/nope?api-version=2024-11-01", code=1,
           says="Not Found({")  # fmt: skip
        az("vm identity assign -g rg1 -n vm1 --identities nosuch", code=1, says="(FailedIdentityOperation)")

    def catalogue(self, az: Az) -> None:
        """Which extensions there are."""
        az(f"vm extension image list -l westus -p {PUBLISHER}", look=lambda said: {LINUX, WINDOWS} <= set(names(said)))
        az(f"vm extension image list-names -l westus -p {PUBLISHER}", look=lambda said: {LINUX, WINDOWS} <= set(names(said)))
        az(f"vm extension image list-versions -l westus -p {PUBLISHER} -n {LINUX}", look=lambda said: "1.0" in names(said)[0])
        az(f"vm extension image list -l westus -p {PUBLISHER} -n {LINUX} --latest", look=lambda said: len(said) == 1)
        az(f"vm extension image show -l westus -p {PUBLISHER} -n {LINUX} --version 1.0")

    def extensions(self, az: Az) -> None:
        """The VM's extension, whose port opens, moves and closes."""
        self.machine(f"the template's port {PORT} is open", lambda: self.port(PORT, True))
        self.machine("a token by the form of old clients", lambda: self.extension_token(PORT))
        az(f"vm extension delete -g rg1 --vm-name vm1 -n {WINDOWS}")
        self.machine(f"deleted: port {PORT} is closed", lambda: self.port(PORT, False))
        what = f"-g rg1 --vm-name vm1 -n {LINUX}"
        put = f"vm extension set {what} --publisher {PUBLISHER} --version 1.0 --settings"
        az(put, '{"port":%d}' % SECOND_PORT, look=lambda said: said["provisioningState"] == "Succeeded")
        self.machine(f"set: port {SECOND_PORT} is open", lambda: self.port(SECOND_PORT, True))
        az(put, '{"port":%d}' % THIRD_PORT, "--protected-settings", '{"k":"vvvv-secret"}', "--force-update",
           look=lambda said: said["forceUpdateTag"] and "vvvv-secret" not in str(said))  # fmt: skip
        self.machine(f"set again: port {THIRD_PORT} is open", lambda: self.port(THIRD_PORT, True))
        self.machine(f"set again: port {SECOND_PORT} is closed", lambda: self.port(SECOND_PORT, False))
        self.machine("a token by the moved port", lambda: self.extension_token(THIRD_PORT))
        az("vm extension list -g rg1 --vm-name vm1", look=lambda said: names(said) == [LINUX] and "vvvv-secret" not in str(said))
        az(f"vm extension show {what}", look=lambda said: said["settings"] == {"port": THIRD_PORT})
        az(f"vm extension show {what} --instance-view",
           look=lambda said: said["instanceView"]["statuses"][0]["code"] == "ProvisioningState/succeeded")  # fmt: skip
        az(f"vm extension wait {what} --created --interval 1 --timeout 5")
        az(put, '{"port":"x"}', code=1, says="(InvalidParameter)", name="az vm extension set: a port that is none")
        other = f"vm extension set {what} --extension-instance-name other --publisher {PUBLISHER} --settings"
        az(other, '{"port":%d}' % THIRD_PORT, look=lambda said: said["name"] == LINUX,
           name="az vm extension set without --version, for the instance that is there")  # fmt: skip
        az(f"vm extension delete {what}")
        self.machine(f"deleted: port {THIRD_PORT} is closed", lambda: self.port(THIRD_PORT, False))
        az(f"vm extension delete --ids {VM}/extensions/{WINDOWS}", name="az vm extension delete: one that is gone")
        az(f"vm extension show {what}", code=3, says="(ResourceNotFound) The Resource ",
           name="az vm extension show: one that is gone")  # fmt: skip

    def port(self, port: int, opened: bool) -> None:
        """The port's state."""
        assert machines.is_open(VM, port) == opened, f"port {port}"

    def extension_token(self, port: int) -> None:
        """A token of the machine's extension."""
        status, said = machines.extension_token(VM, port)
        assert status == 200 and said["token_type"] == "Bearer" and said["access_token"], (status, said)

    def scale_set(self, az: Az) -> None:
        """Scale sets and their identities."""
        az("vmss show -g rg1 -n vmss1", look=lambda said: said["sku"]["capacity"] == 2)
        az("vmss list -g rg1", look=lambda said: names(said) == ["vmss1"])
        az(f"vmss identity assign -g rg1 -n vmss1 --identities {SYSTEM} id1", look=lambda said: said["systemAssignedIdentity"])
        az("vmss identity show -g rg1 -n vmss1", look=lambda said: is_kind(said, BOTH, "id1"))
        az("vmss identity remove -g rg1 -n vmss1 --identities id1")
        az("vmss identity show -g rg1 -n vmss1", look=lambda said: is_kind(said, "SystemAssigned"),
           name="az vmss identity show: the system's stays")  # fmt: skip

    def scale_set_extensions(self, az: Az) -> None:
        """By GET and PUT of the whole."""
        what = f"-g rg1 --vmss-name vmss1 -n {LINUX}"
        put = f"vmss extension set {what} --publisher {PUBLISHER} --settings"
        az(f"{put.replace(' --settings', ' --version 1.0 --settings')}", '{"port":50342}')
        az("vmss extension list -g rg1 --vmss-name vmss1", look=lambda said: len(said) == 2)
        az(f"vmss extension show {what}", look=lambda said: said["settings"] == {"port": PORT})
        az(put, '{"port":50342}', "--force-update", name="az vmss extension set --force-update without --version")
        az(f"vmss extension delete {what}")
        az("vmss extension delete -g rg1 --vmss-name vmss1 -n ManagedIdentityWindowsExtension")
        az(f"vmss extension delete {what}", code=1, says="Scale set has no extensions to delete",
           name="az vmss extension delete: none left")  # fmt: skip
        az("vmss identity show -g rg1 -n vmss1", look=lambda said: is_kind(said, "SystemAssigned"),
           name="az vmss identity show: unchanged by PUT")  # fmt: skip
        az("vmss list-instances -g rg1 -n vmss1", look=lambda said: len(said) == 2)
        az("vmss get-instance-view -g rg1 -n vmss1")
        az("vmss update-instances -g rg1 -n vmss1 --instance-ids *")
        az("vmss delete-instances -g rg1 -n vmss1 --instance-ids 0")
        az("vmss list-instances -g rg1 -n vmss1", look=lambda said: len(said) == 1, name="az vmss list-instances: one less")
        az(f"vmss identity remove -g rg1 -n vmss1 --identities {SYSTEM}")

    def power(self, az: Az) -> None:
        """Power, and an update that mustn't strip anything."""
        az("vm restart -g rg1 -n vm1")
        az("vm restart -g rg1 -n vm1 --no-wait")
        az("vm stop -g rg1 -n vm1")
        az("vm start -g rg1 -n vm1")
        az("vm deallocate -g rg1 -n vm1")
        az("vm get-instance-view -g rg1 -n vm1", look=lambda said: said["instanceView"]["statuses"][1]["code"] == "PowerState/deallocated",
           name="az vm get-instance-view: deallocated")  # fmt: skip
        what = f"-g rg1 --vm-name vm1 -n {LINUX} --publisher {PUBLISHER} --version 1.0"
        az(f"vm extension set {what}", code=1, says="(OperationNotAllowed)", name="az vm extension set: the VM is deallocated")
        az("vm start -g rg1 -n vm1 --no-wait")
        az(f"vm identity assign -g rg1 -n vm1 --identities {SYSTEM} id1", name="az vm identity assign: both, before the update")
        body = '{"tags":{"c":"d"}}'
        az("rest --method patch --url", f"{VM}?api-version=2024-11-01", "--body", body, name="az rest --method patch: a tag")
        az("vm update -g rg1 -n vm1 --set tags.a=b", look=lambda said: said["tags"] == {"a": "b", "c": "d"})
        az("vm identity show -g rg1 -n vm1", look=lambda said: is_kind(said, BOTH, "id1"),
           name="az vm identity show: az vm update keeps all identities")  # fmt: skip

    def generic(self, az: Az) -> None:
        """Resources of any type, and requests by hand."""
        groups = "resourceGroups?api-version=2024-11-01"
        az("resource list -g rg1", look=lambda said: {"vm1", "vmss1", "id1", "id2"} <= set(names(said)))
        az(f"resource show --ids {UA}/id1", look=lambda said: said["name"] == "id1")
        kind = "--resource-type Microsoft.Compute/virtualMachines -l westus --properties"
        az(f"resource create -g rg1 -n vm2 {kind}", '{"hardwareProfile":{"vmSize":"Standard_B1s"}}')
        az(f"resource delete --ids {COMPUTE}/virtualMachines/vm2")
        body = '{"location":"westus","identity":{"type":"SystemAssigned"},"properties":{"hardwareProfile":{"vmSize":"Standard_B1s"}}}'
        az("rest --method put --url", f"{COMPUTE}/virtualMachines/vmr?api-version=2024-07-01", "--body", body,
           look=lambda said: said["identity"]["principalId"], name="az rest --method put: a VM")  # fmt: skip
        az("vm identity assign -g rg1 -n vmr", look=lambda said: said["systemAssignedIdentity"])
        az(f"vm extension set -g rg1 --vm-name vmr -n {LINUX} --publisher {PUBLISHER} --version 1.0 --settings", '{"port":50342}',
           look=lambda said: said["name"] == LINUX)  # fmt: skip
        az(f"resource delete --ids {COMPUTE}/virtualMachines/vmr/extensions/{LINUX}", name="az resource delete: an extension")
        az(f"vm extension list -g rg1 --vm-name vmr", look=lambda said: said == [], name="az vm extension list: none")
        for url in (f"{GROUP}?api-version=2024-11-01", f"{ARM}{GROUP}?api-version=2024-11-01"):
            az("rest --method get --url", url, look=lambda said: said["id"] == GROUP)
        az("rest --method get --url", "/subscriptions/{subscriptionId}/" + groups, look=lambda said: "rg1" in names(said["value"]))
        az("rest --method put --url", f"{UA}/id3?api-version=2023-01-31", "--body", '{"location":"westus"}')
        az("provider show -n Microsoft.Compute", look=lambda said: said["registrationState"] == "Registered")
        az(f"provider register -n {PUBLISHER}")
        az("group export -n rg1", look=lambda said: said["resources"], name="az group export: the template")

    def roles(self, az: Az) -> None:
        """Role assignments."""
        who = self.principals["id2"]["principalId"]
        az("role definition list --name Reader", look=lambda said: said[0]["roleName"] == "Reader")
        create = f"role assignment create --assignee-object-id {who} --assignee-principal-type ServicePrincipal --scope {GROUP} --role"
        one = az(f"{create} Reader", look=lambda said: said["principalId"] == who, name="az role assignment create --role Reader")
        listed = f"role assignment list --scope {GROUP} --fill-principal-name false"
        az(listed, look=lambda said: who in [one["principalId"] for one in said])
        az(f"{listed} --assignee-object-id {who}", look=lambda said: len(said) == 1, name="az role assignment list of one")
        az("role assignment list --all")
        az(f"role assignment delete --ids {one['id']}", name="az role assignment delete")
        az(f"{listed} --assignee-object-id {who}", look=lambda said: said == [], name="az role assignment list of one: gone")
        client = self.principals["id2"]["clientId"]
        by_client = f"role assignment create --assignee {client} --scope {GROUP} --role {READER}"
        az(by_client, look=lambda said: said["principalId"] == who, name="az role assignment create --assignee: by its client id, with the role's")
        az(f"role assignment list --scope {GROUP}", look=lambda said: client in [one["principalName"] for one in said],
           name="az role assignment list: with the principals' names")  # fmt: skip
        az(f"role assignment delete --assignee {client} --scope {GROUP} --role Reader", name="az role assignment delete --assignee")
        az(f"{listed} --assignee-object-id {who}", look=lambda said: said == [], name="az role assignment list of one: gone again")

    def end(self, az: Az) -> None:
        """Everything goes."""
        address = None
        with az.checks.check("vm1: its metadata service, until it goes"):
            address = machines.machine(VM)["imds"]
        az("vm delete -g rg1 -n vm1 -y")
        with az.checks.check("vm1: deleted, and its metadata service with it"):
            assert machines.is_gone(address), address
        az("identity delete -g rg1 -n id1")
        az("identity delete -g rg1 -n id1", name="az identity delete: again")
        az("identity show -g rg1 -n id1", code=3, says="(ResourceNotFound) The Resource ", name="az identity show: gone")
        az("group delete -n rg1 -y")
        az("group exists -n rg1", look=lambda said: said is False, name="az group exists: gone")


def is_deployed(said: dict) -> bool:
    """Done, with the output."""
    properties = said["properties"]
    return properties["provisioningState"] == "Succeeded" and len(properties["outputs"]["pid"]["value"]) == 36
