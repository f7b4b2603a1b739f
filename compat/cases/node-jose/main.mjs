// A relying party: discovery over TLS (the authority's own CA), its keys, a token from IMDS.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { Agent, get } from "node:https";
import { createRemoteJWKSet, customFetch, jwtVerify } from "jose";
import { ARM, READY, check, done, systemAssigned, vm } from "../checks.mjs";

const agent = new Agent({ ca: readFileSync(READY.caFile) });
const issuer = `https://sts.windows.net/${READY.tenantId}/`;

/** fetch() can't take a CA, so this is one that can; enough of a Response for jose. */
function fetchWithCa(url) {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent }, async (reply) => {
      const chunks = await reply.toArray();
      resolve(new Response(Buffer.concat(chunks), { status: reply.statusCode, headers: { "content-type": reply.headers["content-type"] } }));
    });
    request.on("error", reject);
  });
}

async function discover(path) {
  const reply = await fetchWithCa(`${READY.authority}/${READY.tenantId}${path}/.well-known/openid-configuration`);
  assert.equal(reply.status, 200);
  return reply.json();
}

async function imdsToken(resource) {
  const url = `${vm().imds}/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${encodeURIComponent(resource)}`;
  return (await (await fetch(url, { headers: { Metadata: "true" } })).json()).access_token;
}

const keysOf = (document) => createRemoteJWKSet(new URL(document.jwks_uri), { [customFetch]: fetchWithCa });
const token = await imdsToken(ARM);
const rules = { issuer, audience: ARM, algorithms: ["RS256"], requiredClaims: ["exp", "nbf", "iat", "sub"] };

for (const [version, path] of [["v1", ""], ["v2", "/v2.0"]]) {
  await check(`good token, keys by ${version} discovery`, async () => {
    const { payload, protectedHeader } = await jwtVerify(token, keysOf(await discover(path)), rules);
    assert.equal(payload.oid, systemAssigned().principalId);
    assert.equal(protectedHeader.typ, "JWT");
    assert.ok(protectedHeader.kid, "kid");
  });
}
await check("v1 discovery says the token's issuer", async () => assert.equal((await discover("")).issuer, issuer));
await check("another audience is refused", async () => {
  const keys = keysOf(await discover(""));
  await assert.rejects(jwtVerify(token, keys, { ...rules, audience: `${ARM}/` }), { code: "ERR_JWT_CLAIM_VALIDATION_FAILED" });
});
await check("a changed payload is refused", async () => {
  const [header, payload, signature] = token.split(".");
  const said = JSON.parse(Buffer.from(payload, "base64url").toString());
  const forged = Buffer.from(JSON.stringify({ ...said, oid: READY.tenantId })).toString("base64url");
  const keys = keysOf(await discover(""));
  await assert.rejects(jwtVerify(`${header}.${forged}.${signature}`, keys, rules), { code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" });
});
done();
