// The authority's page on which a person lets a program in that shows a code.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { READY } from "./checks.mjs";

/** Signs the admin in to the program that shows this code. */
export async function approve(userCode) {
  const { authority, admin } = READY;
  const form = new URLSearchParams({ user_code: userCode, action: "approve", account: "admin", secret: admin.clientSecret });
  const headers = { "Content-Type": "application/x-www-form-urlencoded", Origin: authority };
  const status = await new Promise((resolve, reject) => {
    const asked = request(`${authority}/devicelogin`, { method: "POST", headers, ca: readFileSync(READY.caFile) }, (reply) => {
      reply.resume().once("end", () => resolve(reply.statusCode));
    });
    asked.once("error", reject).end(form.toString());
  });
  assert.equal(status, 200, "the page let the program in");
}
