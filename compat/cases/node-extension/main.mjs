// The extension's endpoint: MSI_ENDPOINT without MSI_SECRET makes both libraries POST a form there.
import { strict as assert } from "node:assert";
import { ManagedIdentityCredential } from "@azure/identity";
import { ManagedIdentityApplication } from "@azure/msal-node";
import { assertExpiry, assertToken, check, done, freshAudience, requests, systemAssigned, vm } from "../checks.mjs";

const system = systemAssigned();
process.env.MSI_ENDPOINT ??= vm().extension;

await check("@azure/identity: one request for two tokens", () =>
  requests(1, async () => {
    const audience = freshAudience();
    const credential = new ManagedIdentityCredential();
    const first = await credential.getToken(`${audience}/.default`);
    const said = assertToken(first.token, system, audience);
    assertExpiry(first.expiresOnTimestamp, said);
    assert.equal(said.exp - said.nbf, 3900);
    assert.equal((await credential.getToken(`${audience}/.default`)).token, first.token);
  }));
for (const clientCapabilities of [undefined, ["CP1"]]) {
  await check(`@azure/msal-node${clientCapabilities ? " with capabilities: query and body on one request" : ""}`, () =>
    requests(1, async () => {
      const resource = `${freshAudience()}/`;
      const client = new ManagedIdentityApplication({ clientCapabilities });
      assertToken((await client.acquireToken({ resource })).accessToken, system, resource);
    }));
}
const crowded = { MSI_ENDPOINT: vm("crowded").extension };
await check(
  "@azure/identity: several identities: one request, CredentialUnavailableError",
  () =>
    requests(1, () =>
      assert.rejects(new ManagedIdentityCredential().getToken(`${freshAudience()}/.default`), {
        name: "CredentialUnavailableError",
      })),
  crowded,
);
await check(
  "@azure/msal-node: several identities: one request, ServerError",
  () =>
    requests(1, () =>
      assert.rejects(new ManagedIdentityApplication({}).acquireToken({ resource: freshAudience() }), {
        name: "ServerError",
        errorCode: "invalid_request",
      })),
  crowded,
);
done();
