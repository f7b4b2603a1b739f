// What a Node case needs: the world that symbolon described, and checks. The last line of output is the result.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { strict as assert } from "node:assert";

export const ARM = "https://management.azure.com";
export const STRANGER_CLIENT_ID = "0a1b2c3d-1111-4222-8333-444455556665";
export const READY = JSON.parse(readFileSync(process.env.COMPAT_WORLD, "utf8"));

const COUNTED = /^symbolon_(?:imds|extension)_requests_total(?:\{.*\})? ([0-9.e+]+)$/gm;
const all = [];
let audiences = 0;

/**
 * Runs one check; it passes when it ends without an exception. With `env` it runs in a process of its own with these
 * variables: the libraries decide once per process where identities come from.
 */
export async function check(name, body, env) {
  const only = process.env.COMPAT_CHECK;
  if (only !== undefined && only !== name) return;
  try {
    await (env && only === undefined ? inOwnProcess(name, env) : body());
    all.push({ name, ok: true });
  } catch (why) {
    console.error(`--- ${name}\n${why?.stack ?? why}`);
    all.push({ name, ok: false, detail: `${why?.name}: ${why?.message}`.slice(0, 2000) });
  }
}

function inOwnProcess(name, env) {
  const environment = { ...process.env, ...env, COMPAT_CHECK: name };
  const ended = spawnSync(process.execPath, [process.argv[1]], { env: environment, encoding: "utf8" });
  const { checks } = JSON.parse(ended.stdout.trim().split("\n").at(-1));
  assert.equal(checks.length, 1, "the process ran one check");
  assert.ok(checks[0].ok, checks[0].detail);
}

/** Prints the result. */
export function done() {
  console.log(JSON.stringify({ checks: all }));
}

/** A resource nobody asked for yet: the libraries share one cache per process, across clients and even sources. */
export function freshAudience() {
  audiences += 1;
  return `https://audience-${audiences}.example`;
}

/** A VM of the seed. */
export function vm(name = "dev") {
  return READY.vms.find((machine) => machine.name === name);
}

/** A VM's system-assigned identity. */
export function systemAssigned(vmName = "dev") {
  return vm(vmName).identities.find((identity) => identity.kind === "SystemAssigned");
}

/** A user-assigned identity of a VM. */
export function userAssigned(name = "app", vmName = "dev") {
  return vm(vmName).identities.find((identity) => identity.kind === "UserAssigned" && identity.name === name);
}

/** The token is `identity`'s and for `audience`; its claims. */
export function assertToken(token, identity, audience = ARM) {
  const said = JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
  const expected = {
    aud: audience,
    appid: identity.clientId,
    oid: identity.principalId,
    sub: identity.principalId,
    tid: READY.tenantId,
    iss: `https://sts.windows.net/${READY.tenantId}/`,
    ver: "1.0",
  };
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, said[name]])), expected);
  return said;
}

/** The client's expiry is the token's; it counts from its own clock's seconds, so one may tick in between. */
export function assertExpiry(milliseconds, said) {
  const late = Math.abs(milliseconds / 1000 - said.exp);
  assert.ok(late <= 1, `expires ${new Date(milliseconds).toISOString()}, the token says ${said.exp}`);
}

/** How many requests symbolon has answered on its token endpoints, or null when it doesn't say. */
export async function requestsCounted() {
  const text = await (await fetch(`${READY.metrics}/metrics`)).text();
  const counts = [...text.matchAll(COUNTED)].map((match) => Number(match[1]));
  return counts.length ? counts.reduce((sum, count) => sum + count, 0) : null;
}

/**
 * `body` makes exactly `expected` requests. Where nobody counts, its duration tells: every client's retries together
 * take longer than two seconds.
 */
export async function requests(expected, body) {
  const before = await requestsCounted();
  const started = performance.now();
  const result = await body();
  const took = performance.now() - started;
  const after = await requestsCounted();
  if (before !== null && after !== null) assert.equal(after - before, expected, "number of requests");
  else assert.ok(took < 2000, `took ${took} ms: it was repeated`);
  return result;
}
