// One token by @azure/identity or @azure/msal-node from the endpoint of the environment; says what came of it.
import { ManagedIdentityCredential } from "@azure/identity";
import { ManagedIdentityApplication } from "@azure/msal-node";

const ARM = "https://management.azure.com";

const ask = {
  identity: async () => (await new ManagedIdentityCredential().getToken(`${ARM}/.default`)).expiresOnTimestamp,
  "msal-node": async () =>
    (await new ManagedIdentityApplication({}).acquireToken({ resource: ARM })).expiresOn.getTime(),
};

try {
  console.log(JSON.stringify({ error: null, expiresOn: (await ask[process.argv[2]]()) / 1000 }));
} catch (why) {
  console.log(JSON.stringify({ error: why.name, message: why.message }));
}
