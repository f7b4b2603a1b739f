// @azure/msal-node asks the metadata service for its region, which decides where it signs in. Its network client is ours:
// what goes to the metadata address is sent, the rest is only noted.
import { strict as assert } from "node:assert";
import { ConfidentialClientApplication } from "@azure/msal-node";
import { check, done } from "../checks.mjs";

const IMDS = "http://169.254.169.254/";

/** The hosts that a client signs in at, after a metadata service that answers through `change`. */
async function signsInAt(change = (url) => url) {
  const [asked, hosts] = [[], []];
  const networkClient = {
    async sendGetRequestAsync(url, options) {
      if (!url.startsWith(IMDS)) return { status: 404, headers: {}, body: {} };
      asked.push(url);
      const answer = await fetch(change(url), { headers: options?.headers });
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.json() };
    },
    async sendPostRequestAsync(url) {
      hosts.push(new URL(url).host);
      const body = { token_type: "Bearer", expires_in: 3600, ext_expires_in: 3600, access_token: "t" };
      return { status: 200, headers: {}, body };
    },
  };
  const tenant = "6f8a0f7e-0c1b-4d59-9d6a-3b1f5c2e7a10";
  const authority = `https://login.microsoftonline.com/${tenant}`;
  const client = new ConfidentialClientApplication({
    auth: { clientId: tenant, clientSecret: "s", authority },
    system: { networkClient },
  });
  await client.acquireTokenByClientCredential({ scopes: ["https://x/.default"], azureRegion: "TryAutoDetect" });
  return { asked, hosts };
}

await check("it signs in in the region of the machine", async () => {
  const { asked, hosts } = await signsInAt();
  assert.equal(asked.length, 1, `${asked}`);
  assert.match(hosts[0], /^westeurope\./);
});
await check("with a version that isn't known it takes the newest of the answer", async () => {
  const { asked, hosts } = await signsInAt((url) => url.replace("api-version=2020-06-01", "api-version=2099-01-01").replace("api-version=2021-02-01", "api-version=2099-01-01"));
  assert.ok(asked.at(-1).includes("2025-04-07"), `${asked}`);
  assert.match(hosts[0], /^westeurope\./);
});
done();
