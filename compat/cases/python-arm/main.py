"""The management SDKs for Python against the control plane."""

import os

import device_login
import machines
import templates
import world
from checks import Checks

os.environ["REQUESTS_CA_BUNDLE"] = world.READY["caFile"]
os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = world.READY["imds"]

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError  # noqa: E402  (after the CA is set)
from azure.identity import ClientSecretCredential, DeviceCodeCredential, ManagedIdentityCredential  # noqa: E402
from azure.mgmt.authorization import AuthorizationManagementClient  # noqa: E402
from azure.mgmt.compute import ComputeManagementClient  # noqa: E402
from azure.mgmt.msi import ManagedServiceIdentityClient  # noqa: E402
from azure.mgmt.resource.deployments import DeploymentsMgmtClient  # noqa: E402
from azure.mgmt.resource.resources import ResourceManagementClient  # noqa: E402
from azure.mgmt.resource.subscriptions import SubscriptionClient  # noqa: E402

ARM, TENANT, SUB = (world.READY[key] for key in ("arm", "tenantId", "subscriptionId"))
ADMIN = world.READY["admin"]
GROUP = f"/subscriptions/{SUB}/resourceGroups/rg9"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm9"
LINUX, PORT = "ManagedIdentityExtensionForLinux", 50342
READER = f"/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
ASSIGNMENT = "9a9a9a9a-9a9a-4a9a-8a9a-9a9a9a9a9a9a"
BOTH = "SystemAssigned, UserAssigned"

credential = ClientSecretCredential(
    TENANT, ADMIN["clientId"], ADMIN["clientSecret"], authority=ARM, disable_instance_discovery=True
)
scopes = {"base_url": ARM, "credential_scopes": [f"{ARM}/.default"]}
options = scopes | {"polling_interval": 1}
compute = ComputeManagementClient(credential, SUB, **options)
msi = ManagedServiceIdentityClient(credential, SUB, **options)
resources = ResourceManagementClient(credential, SUB, **options)
deployments = DeploymentsMgmtClient(credential, SUB, **options)
roles = AuthorizationManagementClient(credential, SUB, **options)
subscriptions = SubscriptionClient(credential, **scopes)
checks = Checks()
identities, vms, extensions = [], compute.virtual_machines, compute.virtual_machine_extensions
sets, set_extensions = compute.virtual_machine_scale_sets, compute.virtual_machine_scale_set_extensions
extension = {"publisher": "Microsoft.ManagedIdentity", "type": LINUX, "typeHandlerVersion": "1.0", "settings": {"port": PORT}}


def names(said) -> list[str]:
    """Of a list, walked to its end."""
    return sorted(one.name for one in said)


def update_identity(kind: str, ids: dict):
    """Patches the VM's identity."""
    return vms.begin_update("rg9", "vm9", {"identity": {"type": kind, "userAssignedIdentities": ids}}).result().identity


with checks.check("subscriptions.list"):
    assert [one.subscription_id for one in subscriptions.subscriptions.list()] == [SUB]
with checks.check("resource_groups.create_or_update, check_existence"):
    resources.resource_groups.create_or_update("rg9", {"location": "westus"})
    assert resources.resource_groups.check_existence("rg9") and not resources.resource_groups.check_existence("nope")
with checks.check("user_assigned_identities.create_or_update, list_by_resource_group"):
    create = msi.user_assigned_identities.create_or_update
    identities += [create("rg9", f"u{number}", {"location": "westus"}) for number in range(3)]
    assert names(msi.user_assigned_identities.list_by_resource_group("rg9")) == ["u0", "u1", "u2"]
with checks.check("federated_identity_credentials.create_or_update"):
    word = {"issuer": "https://issuer.example", "subject": "s", "audiences": ["a"]}
    made = msi.federated_identity_credentials.create_or_update("rg9", "u0", "f", word)
    assert (made.issuer, made.subject, made.audiences) == ("https://issuer.example", "s", ["a"]), made
with checks.check("virtual_machines.begin_create_or_update: a system-assigned identity, served by the machine at once"):
    size = {"hardwareProfile": {"vmSize": "Standard_B1s"}}
    wanted = {"location": "westus", "identity": {"type": "SystemAssigned"}, "properties": size}
    made = vms.begin_create_or_update("rg9", "vm9", wanted).result()
    assert made.identity.type == "SystemAssigned" and made.identity.principal_id, made.identity
    machines.assert_gets(VM, made.identity.principal_id)
with checks.check("virtual_machines.begin_update: two identities more, served at once"):
    said = update_identity(BOTH, {identities[0].id: {}, identities[1].id: {}})
    assert said.type == BOTH and len(said.user_assigned_identities) == 2, said
    machines.assert_gets(VM, identities[0].principal_id, client_id=identities[0].client_id)
with checks.check("virtual_machines.begin_update: null takes one away, refused at once"):
    said = update_identity(BOTH, {identities[0].id: None})
    assert [name.rsplit("/", 1)[1] for name in said.user_assigned_identities] == ["u1"], said
    machines.assert_refused(VM, client_id=identities[0].client_id)
with checks.check("virtual_machine_extensions.begin_create_or_update: its port opens"):
    body = {"location": "westus", "properties": extension | {"autoUpgradeMinorVersion": True, "protectedSettings": {}}}
    made = extensions.begin_create_or_update("rg9", "vm9", LINUX, body).result()
    assert made.properties.provisioning_state == "Succeeded" and made.properties.protected_settings is None, made
    assert machines.is_open(VM, PORT) and machines.extension_token(VM, PORT)[0] == 200
with checks.check("virtual_machine_extensions.get with its instance view"):
    view = extensions.get("rg9", "vm9", LINUX, expand="instanceView").properties.instance_view
    assert view.statuses[0].code == "ProvisioningState/succeeded", view
with checks.check("virtual_machine_extensions.begin_update, list"):
    extensions.begin_update("rg9", "vm9", LINUX, {"properties": {"forceUpdateTag": "1"}}).result()
    (only,) = extensions.list("rg9", "vm9").value
    assert (only.name, only.properties.force_update_tag) == (LINUX, "1"), only
with checks.check("virtual_machines.instance_view, list"):
    assert "PowerState/running" in [status.code for status in vms.instance_view("rg9", "vm9").statuses]
    assert names(vms.list("rg9")) == ["vm9"]
with checks.check("virtual_machine_extensions.begin_delete: its port closes"):
    extensions.begin_delete("rg9", "vm9", LINUX).result()
    assert not machines.is_open(VM, PORT)
with checks.check("virtual_machine_scale_sets.begin_create_or_update"):
    wanted = {"location": "westus", "identity": {"type": "SystemAssigned"}, "sku": {"name": "Standard_B1s", "capacity": 2}}
    assert sets.begin_create_or_update("rg9", "ss9", wanted).result().identity.principal_id
with checks.check("virtual_machine_scale_set_extensions: create, list, delete"):
    set_extensions.begin_create_or_update("rg9", "ss9", LINUX, {"properties": extension}).result()
    assert names(set_extensions.list("rg9", "ss9")) == [LINUX]
    set_extensions.begin_delete("rg9", "ss9", LINUX).result()
    assert names(set_extensions.list("rg9", "ss9")) == []
with checks.check("deployments: validate, create, what-if"):
    template = {"properties": {"mode": "Incremental", "template": templates.VM}}
    deployments.deployments.begin_validate("rg9", "d1", template).result()
    done = deployments.deployments.begin_create_or_update("rg9", "d1", template).result().properties
    assert done.provisioning_state == "Succeeded" and len(done.outputs["pid"]["value"]) == 36, done
    assert deployments.deployments.begin_what_if("rg9", "d1", template).result().status == "Succeeded"
with checks.check("resource_groups.begin_export_template: an error in it, for the extension"):
    wanted = {"resources": ["*"], "options": "IncludeParameterDefaultValue"}
    said = resources.resource_groups.begin_export_template("rg9", wanted).result()
    assert said.template["resources"] and said.error.details, said
with checks.check("role_assignments.create, list_for_scope"):
    wanted = {"role_definition_id": READER, "principal_id": identities[0].principal_id, "principal_type": "ServicePrincipal"}
    roles.role_assignments.create(GROUP, ASSIGNMENT, wanted)
    assert ASSIGNMENT in names(roles.role_assignments.list_for_scope(GROUP))
with checks.check("virtual_machines.get of one that isn't there: ResourceNotFoundError"):
    try:
        vms.get("rg9", "nope")
    except ResourceNotFoundError as why:
        assert why.error.code == "ResourceNotFound", why
    else:
        raise AssertionError("it is there")
with checks.check("a managed identity without a role: AuthorizationFailed; with Reader: it reads"):
    own = ManagedIdentityCredential(client_id=world.user_assigned()["clientId"])
    reader = ComputeManagementClient(own, SUB, **options)
    scope, name = f"/subscriptions/{SUB}/resourceGroups/rg9", "9a9a9a9a-9a9a-4a9a-8a9a-9a9a9a9a9a9b"
    try:
        list(reader.virtual_machines.list("rg9"))
    except HttpResponseError as why:
        assert (why.status_code, why.error.code) == (403, "AuthorizationFailed"), why
    else:
        raise AssertionError("it reads without a role")
    wanted = {"role_definition_id": READER, "principal_id": world.user_assigned()["principalId"]}
    roles.role_assignments.create(scope, name, wanted)
    assert "vm9" in names(reader.virtual_machines.list("rg9"))
with checks.check("DeviceCodeCredential: a person lets the program in, it reads, and renews for another resource"):
    person = DeviceCodeCredential(
        tenant_id=TENANT,
        authority=ARM,
        disable_instance_discovery=True,
        prompt_callback=lambda _page, code, _ends: device_login.approve(code),
    )
    reader = ComputeManagementClient(person, SUB, **options)
    assert "vm9" in names(reader.virtual_machines.list("rg9"))
    said = world.claims(person.get_token("https://vault.azure.net/.default").token)
    assert (said["aud"], said["upn"]) == ("https://vault.azure.net", "admin@sample.test"), said
with checks.check("a list of several pages is walked to its end"):
    many = [f"page{number:02}" for number in range(60)]
    resources.resource_groups.create_or_update("rg-pages", {"location": "westus"})
    for name in many:
        create("rg-pages", name, {"location": "westus"})
    pages = list(msi.user_assigned_identities.list_by_resource_group("rg-pages").by_page())
    found = [[one.name for one in page] for page in pages]
    assert len(found) == 2 and sorted(sum(found, [])) == many, found
    resources.resource_groups.begin_delete("rg-pages").result()
with checks.check("virtual_machines.begin_delete: its metadata service goes"):
    address = machines.machine(VM)["imds"]
    vms.begin_delete("rg9", "vm9").result()
    assert machines.is_gone(address), address
with checks.check("resource_groups.begin_delete"):
    resources.resource_groups.begin_delete("rg9").result()
    assert not resources.resource_groups.check_existence("rg9")
checks.done()
