// @azure/msal-node on IMDS. It sends a form Content-Type on a GET without body, and xms_cc with client capabilities.
import { strict as assert } from "node:assert";
import { ManagedIdentityApplication } from "@azure/msal-node";
import {
  STRANGER_CLIENT_ID, assertExpiry, assertToken, check, done, freshAudience, requests, systemAssigned, userAssigned, vm,
} from "../checks.mjs";

const app = userAssigned();
const system = systemAssigned();

/** A token for a fresh audience, by a new client, in one request. */
async function assertGiven(managedIdentityIdParams, identity, resource = freshAudience(), options = {}) {
  const client = new ManagedIdentityApplication({ managedIdentityIdParams, ...options });
  const answer = await requests(1, () => client.acquireToken({ resource }));
  const said = assertToken(answer.accessToken, identity, resource);
  assertExpiry(answer.expiresOn.getTime(), said);
}

await check("system-assigned", () => assertGiven(undefined, system));
await check("trailing slash stays", () => assertGiven(undefined, system, `${freshAudience()}/`));
await check("userAssignedClientId", () => assertGiven({ userAssignedClientId: app.clientId }, app));
await check("userAssignedObjectId", () => assertGiven({ userAssignedObjectId: app.principalId }, app));
await check("userAssignedResourceId", () => assertGiven({ userAssignedResourceId: app.id }, app));
await check("clientCapabilities (xms_cc in the query)", () =>
  assertGiven(undefined, system, freshAudience(), { clientCapabilities: ["CP1"] }));
await check("the client caches", async () => {
  const client = new ManagedIdentityApplication({});
  const resource = freshAudience();
  await requests(1, async () => {
    const first = await client.acquireToken({ resource });
    const second = await client.acquireToken({ resource });
    assert.equal(first.accessToken, second.accessToken);
    assert.equal(second.fromCache, true);
  });
});
await check("unassigned identity: one request, ServerError", () => {
  const managedIdentityIdParams = { userAssignedClientId: STRANGER_CLIENT_ID };
  const client = new ManagedIdentityApplication({ managedIdentityIdParams });
  return requests(1, () =>
    assert.rejects(client.acquireToken({ resource: freshAudience() }), { name: "ServerError", errorCode: "invalid_request" }));
});
await check("host variable: the only identity", () => assertGiven(undefined, userAssigned("app", "single")), {
  AZURE_POD_IDENTITY_AUTHORITY_HOST: vm("single").imds,
});
done();
