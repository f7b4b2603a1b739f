// The machines of a running symbolon, from within: their metadata service and their extension's port.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ARM, READY } from "./checks.mjs";

const INSTANCE = join(dirname(dirname(READY.caFile)), "instance.json");
const WAIT = 5000;

/** A machine as symbolon tells of it now. */
export async function machine(id) {
  for (const deadline = performance.now() + WAIT; ; await pause(50)) {
    const { vms } = JSON.parse(readFileSync(INSTANCE, "utf8"));
    const found = vms.find((vm) => vm.id.toLowerCase() === id.toLowerCase());
    if (found !== undefined) return found;
    assert.ok(performance.now() < deadline, `no machine ${id}`);
  }
}

/** What the machine's metadata service answers to the question for a token. */
export async function metadataToken(id, selector = {}) {
  const query = new URLSearchParams({ "api-version": "2018-02-01", resource: ARM, ...selector });
  const reply = await fetch(`${(await machine(id)).imds}/metadata/identity/oauth2/token?${query}`, { headers: { Metadata: "true" } });
  return { status: reply.status, said: await reply.json() };
}

/** It gives a token of this identity. */
export async function assertGets(id, principalId, selector) {
  const { status, said } = await metadataToken(id, selector);
  assert.equal(status, 200, JSON.stringify(said));
  const claims = JSON.parse(Buffer.from(said.access_token.split(".")[1], "base64url").toString());
  assert.equal(claims.oid, principalId);
}

/** Whether somebody listens on that port of the machine's own "localhost". */
export async function isOpen(id, port) {
  const told = await machine(id);
  return listens(new URL(told.extension ?? told.imds).hostname, port);
}

/** Whether nobody listens at this address any more. */
export async function isGone(address) {
  const { hostname, port } = new URL(address);
  return !(await listens(hostname, Number(port || 80)));
}

function listens(host, port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answer) => () => resolve(answer, socket.destroy());
    socket.once("connect", end(true)).once("error", end(false));
  });
}
