// The management SDKs for Node against the control plane, and its machines asked by ManagedIdentityCredential.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AuthorizationManagementClient } from "@azure/arm-authorization";
import { ComputeManagementClient } from "@azure/arm-compute";
import { ManagedServiceIdentityClient } from "@azure/arm-msi";
import { ResourceManagementClient } from "@azure/arm-resources";
import { DeploymentsClient } from "@azure/arm-resourcesdeployments";
import { SubscriptionClient } from "@azure/arm-resources-subscriptions";
import { ClientSecretCredential, DeviceCodeCredential, ManagedIdentityCredential } from "@azure/identity";
import { READY, assertToken, check, done, freshAudience } from "../checks.mjs";
import { approve } from "../device_login.mjs";
import { assertGets, isGone, isOpen, machine } from "../machines.mjs";

const { arm: ARM, tenantId: TENANT, subscriptionId: SUB, admin: ADMIN } = READY;
const RG = "rg-node";
const GROUP = `/subscriptions/${SUB}/resourceGroups/${RG}`;
const VM = `${GROUP}/providers/Microsoft.Compute/virtualMachines/vm9`;
const [LINUX, PORT] = ["ManagedIdentityExtensionForLinux", 50342];
const READER = `/subscriptions/${SUB}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7`;
const ASSIGNMENT = "9a9a9a9a-9a9a-4a9a-8a9a-9a9a9a9a9a9c";
const BOTH = "SystemAssigned, UserAssigned";
const EXTENSION = { publisher: "Microsoft.ManagedIdentity", typePropertiesType: LINUX, typeHandlerVersion: "1.0", settings: { port: PORT } };

const tlsOptions = { ca: readFileSync(READY.caFile, "utf8") };
const admin = new ClientSecretCredential(TENANT, ADMIN.clientId, ADMIN.clientSecret, {
  authorityHost: ARM, disableInstanceDiscovery: true, tlsOptions,
});
/** The two generations of these SDKs name the scope differently. */
const options = { endpoint: ARM, credentials: { scopes: [`${ARM}/.default`] }, credentialScopes: [`${ARM}/.default`], tlsOptions };
const compute = new ComputeManagementClient(admin, SUB, options);
const msi = new ManagedServiceIdentityClient(admin, SUB, options);
const { resourceGroups } = new ResourceManagementClient(admin, SUB, options);
const { deployments } = new DeploymentsClient(admin, SUB, options);
const { roleAssignments } = new AuthorizationManagementClient(admin, SUB, options);
const { subscriptions } = new SubscriptionClient(admin, options);
const { virtualMachines: vms, virtualMachineExtensions: extensions } = compute;
const { virtualMachineScaleSets: sets, virtualMachineScaleSetExtensions: setExtensions } = compute;
const identities = [];

/** The names of a list, walked to its end. */
async function names(list) {
  const all = [];
  for await (const one of list) all.push(one.name);
  return all.sort();
}

/** Patches the VM's identity. */
async function updateIdentity(type, userAssignedIdentities) {
  return (await vms.update(RG, "vm9", { identity: { type, userAssignedIdentities } })).identity;
}

/** The SDK's own credential, on the VM, gets a token of this identity. Each question is for another audience: it caches. */
async function assertCredentialGets(identity) {
  const audience = freshAudience();
  const { token } = await new ManagedIdentityCredential({ clientId: identity.clientId }).getToken(`${audience}/.default`);
  assertToken(token, identity, audience);
}

function assertCredentialRefused(identity) {
  const credential = new ManagedIdentityCredential({ clientId: identity.clientId });
  return assert.rejects(credential.getToken(`${freshAudience()}/.default`), { name: "CredentialUnavailableError" });
}

await check("subscriptions.list", async () => {
  const all = [];
  for await (const one of subscriptions.list()) all.push(one.subscriptionId);
  assert.deepEqual(all, [SUB]);
});
await check("resourceGroups.createOrUpdate, checkExistence", async () => {
  assert.equal((await resourceGroups.createOrUpdate(RG, { location: "westus" })).id, GROUP);
  assert.ok((await resourceGroups.checkExistence(RG)).body);
  assert.ok(!(await resourceGroups.checkExistence("nope")).body);
});
await check("userAssignedIdentities.createOrUpdate, listByResourceGroup", async () => {
  for (const name of ["uai0", "uai1", "uai2"]) {
    identities.push(await msi.userAssignedIdentities.createOrUpdate(RG, name, { location: "westus" }));
  }
  assert.deepEqual(await names(msi.userAssignedIdentities.listByResourceGroup(RG)), ["uai0", "uai1", "uai2"]);
});
await check("federatedIdentityCredentials.createOrUpdate", async () => {
  const word = { issuer: "https://issuer.example", subject: "s", audiences: ["a"] };
  const { issuer, subject, audiences } = await msi.federatedIdentityCredentials.createOrUpdate(RG, "uai0", "fic", word);
  assert.deepEqual({ issuer, subject, audiences }, word);
});
await check("virtualMachines.createOrUpdate: a system-assigned identity, served by the machine at once", async () => {
  const wanted = { location: "westus", identity: { type: "SystemAssigned" }, hardwareProfile: { vmSize: "Standard_B1s" } };
  const { identity } = await vms.createOrUpdate(RG, "vm9", wanted);
  assert.equal(identity.type, "SystemAssigned");
  await assertGets(VM, identity.principalId);
  process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = (await machine(VM)).imds;
});
await check("virtualMachines.update: two identities more, ManagedIdentityCredential gets their tokens at once", async () => {
  await assertCredentialRefused(identities[0]);
  const identity = await updateIdentity(BOTH, { [identities[0].id]: {}, [identities[1].id]: {} });
  assert.equal(identity.type, BOTH);
  assert.equal(Object.keys(identity.userAssignedIdentities).length, 2);
  await assertCredentialGets(identities[0]);
  await assertCredentialGets(identities[1]);
});
await check("virtualMachines.update: null takes one away, ManagedIdentityCredential is refused at once", async () => {
  const identity = await updateIdentity(BOTH, { [identities[0].id]: null });
  assert.deepEqual(Object.keys(identity.userAssignedIdentities).map((id) => id.split("/").at(-1)), ["uai1"]);
  await assertCredentialRefused(identities[0]);
  await assertCredentialGets(identities[1]);
});
await check("virtualMachineExtensions.createOrUpdate: its port opens", async () => {
  const wanted = { location: "westus", ...EXTENSION, autoUpgradeMinorVersion: true, protectedSettings: {} };
  const made = await extensions.createOrUpdate(RG, "vm9", LINUX, wanted);
  assert.deepEqual([made.provisioningState, made.protectedSettings], ["Succeeded", undefined]);
  assert.ok(await isOpen(VM, PORT));
});
await check("virtualMachineExtensions.get with its instance view", async () => {
  const { instanceView } = await extensions.get(RG, "vm9", LINUX, { expand: "instanceView" });
  assert.equal(instanceView.statuses[0].code, "ProvisioningState/succeeded");
});
await check("virtualMachineExtensions.update, list", async () => {
  await extensions.update(RG, "vm9", LINUX, { forceUpdateTag: "1" });
  const { value } = await extensions.list(RG, "vm9");
  assert.deepEqual(value.map((one) => [one.name, one.forceUpdateTag]), [[LINUX, "1"]]);
});
await check("virtualMachines.instanceView, list", async () => {
  const { statuses } = await vms.instanceView(RG, "vm9");
  assert.ok(statuses.some((status) => status.code === "PowerState/running"));
  assert.deepEqual(await names(vms.list(RG)), ["vm9"]);
});
await check("virtualMachines.restart", () => vms.restart(RG, "vm9"));
await check("virtualMachineExtensions.delete: its port closes", async () => {
  await extensions.delete(RG, "vm9", LINUX);
  assert.ok(!(await isOpen(VM, PORT)));
  assert.deepEqual((await extensions.list(RG, "vm9")).value, []);
});
await check("virtualMachineScaleSets.createOrUpdate", async () => {
  const wanted = { location: "westus", identity: { type: "SystemAssigned" }, sku: { name: "Standard_B1s", capacity: 2 } };
  assert.ok((await sets.createOrUpdate(RG, "ss9", wanted)).identity.principalId);
});
await check("virtualMachineScaleSetExtensions: create, list, delete", async () => {
  await setExtensions.createOrUpdate(RG, "ss9", LINUX, EXTENSION);
  assert.deepEqual(await names(setExtensions.list(RG, "ss9")), [LINUX]);
  await setExtensions.delete(RG, "ss9", LINUX);
  assert.deepEqual(await names(setExtensions.list(RG, "ss9")), []);
});
await check("deployments: validate, createOrUpdate, whatIf", async () => {
  const template = JSON.parse(readFileSync(join(process.argv[2], "template-vm.json"), "utf8"));
  const wanted = { properties: { mode: "Incremental", template } };
  await deployments.validate(RG, "d1", wanted);
  const { properties } = await deployments.createOrUpdate(RG, "d1", wanted);
  assert.equal(properties.provisioningState, "Succeeded");
  assert.equal(properties.outputs.pid.value.length, 36);
  assert.equal((await deployments.whatIf(RG, "d1", wanted)).status, "Succeeded");
});
await check("resourceGroups.exportTemplate: an error in it, for the extension", async () => {
  const wanted = { resources: ["*"], options: "IncludeParameterDefaultValue" };
  const { template, error } = await resourceGroups.exportTemplate(RG, wanted);
  assert.ok(template.resources.length && error.details.length);
});
await check("roleAssignments.create, listForScope", async () => {
  const wanted = { roleDefinitionId: READER, principalId: identities[0].principalId, principalType: "ServicePrincipal" };
  await roleAssignments.create(GROUP, ASSIGNMENT, wanted);
  assert.ok((await names(roleAssignments.listForScope(GROUP))).includes(ASSIGNMENT));
});
await check("virtualMachines.get of one that isn't there: RestError", () =>
  assert.rejects(vms.get(RG, "nope"), (why) => {
    assert.deepEqual([why.name, why.statusCode, why.code], ["RestError", 404, "ResourceNotFound"]);
    return true;
  }));
await check("a managed identity without a role: AuthorizationFailed; with Reader: it reads", async () => {
  const reader = new ComputeManagementClient(new ManagedIdentityCredential({ clientId: identities[1].clientId }), SUB, options);
  await assert.rejects(names(reader.virtualMachines.list(RG)), { statusCode: 403, code: "AuthorizationFailed" });
  const wanted = { roleDefinitionId: READER, principalId: identities[1].principalId };
  await roleAssignments.create(GROUP, ASSIGNMENT.replace(/c$/, "d"), wanted);
  assert.deepEqual(await names(reader.virtualMachines.list(RG)), ["vm1", "vm9"]);
});
await check("DeviceCodeCredential: a person lets the program in, it reads, and renews for another resource", async () => {
  const person = new DeviceCodeCredential({
    tenantId: TENANT, authorityHost: ARM, disableInstanceDiscovery: true, tlsOptions,
    userPromptCallback: ({ userCode }) => approve(userCode),
  });
  const reader = new ComputeManagementClient(person, SUB, options);
  assert.deepEqual(await names(reader.virtualMachines.list(RG)), ["vm1", "vm9"]);
  const { token } = await person.getToken("https://vault.azure.net/.default");
  const said = JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
  assert.deepEqual([said.aud, said.upn], ["https://vault.azure.net", "admin@sample.test"]);
});
await check("virtualMachines.delete: its metadata service goes", async () => {
  const { imds } = await machine(VM);
  await vms.delete(RG, "vm9");
  assert.ok(await isGone(imds), imds);
});
await check("resourceGroups.delete", async () => {
  await resourceGroups.delete(RG);
  assert.ok(!(await resourceGroups.checkExistence(RG)).body);
});
done();
