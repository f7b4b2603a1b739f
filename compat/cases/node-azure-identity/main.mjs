// @azure/identity on IMDS. Inside DefaultAzureCredential it probes without `Metadata`, unless the host variable is set;
// with that variable it adds a slash to the token path.
import { strict as assert } from "node:assert";
import { DefaultAzureCredential, ManagedIdentityCredential } from "@azure/identity";
import {
  STRANGER_CLIENT_ID, assertExpiry, assertToken, check, done, freshAudience, requests, systemAssigned, userAssigned, vm,
} from "../checks.mjs";

const app = userAssigned();
const system = systemAssigned();

/** A token for a fresh audience, by a new credential, in exactly `count` requests. */
async function assertGiven(credential, identity, count = 1, audience = freshAudience()) {
  const given = await requests(count, () => credential.getToken(`${audience}/.default`));
  return { given, said: assertToken(given.token, identity, audience) };
}

async function assertRefused(options, words) {
  const credential = new ManagedIdentityCredential(options);
  await requests(1, () =>
    assert.rejects(credential.getToken(`${freshAudience()}/.default`), (why) => {
      assert.equal(why.name, "CredentialUnavailableError");
      assert.match(why.message, words);
      return true;
    }));
}

const by = (options, identity) => () => assertGiven(new ManagedIdentityCredential(options), identity);

await check("system-assigned", by({}, system));
await check("clientId", by({ clientId: app.clientId }, app));
await check("objectId", by({ objectId: app.principalId }, app));
await check("resourceId", by({ resourceId: app.id }, app));
await check("audience with slash", () =>
  assertGiven(new ManagedIdentityCredential(), system, 1, `${freshAudience()}/`));
await check("expiry and refresh are read", async () => {
  const { given, said } = await assertGiven(new ManagedIdentityCredential(), system);
  assertExpiry(given.expiresOnTimestamp, said);
  assert.ok(given.refreshAfterTimestamp > Date.now(), "a long life makes the client plan a refresh");
});
await check("the client caches", async () => {
  const credential = new ManagedIdentityCredential();
  const scope = `${freshAudience()}/.default`;
  await requests(1, async () =>
    assert.equal((await credential.getToken(scope)).token, (await credential.getToken(scope)).token));
});
await check("unassigned identity: one request, CredentialUnavailableError", () =>
  assertRefused({ clientId: STRANGER_CLIENT_ID }, /Identity not found|not been assigned|unavailable/i));
await check("DefaultAzureCredential finds IMDS by its probe", () => assertGiven(new DefaultAzureCredential(), system, 2));
await check("DefaultAzureCredential with managedIdentityClientId", () =>
  assertGiven(new DefaultAzureCredential({ managedIdentityClientId: app.clientId }), app, 2));

for (const slash of ["", "/"]) {
  const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: vm("single").imds + slash };
  const name = `host variable${slash && " that ends in a slash"}: the only identity`;
  await check(name, by({}, userAssigned("app", "single")), env);
}
await check("host variable: several identities", () => assertRefused({}, /Multiple user assigned|unavailable/i), {
  AZURE_POD_IDENTITY_AUTHORITY_HOST: vm("crowded").imds,
});
done();
