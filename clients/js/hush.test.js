import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { Hush } from "./hush.js"; // an application imports "@hush-idp/testing"

const app = { client: "my-app", redirectUri: "http://localhost:5173/callback" };
const registration = { token_endpoint_auth_method: "none", redirect_uris: [app.redirectUri], first_party: true };
const hush = await Hush.start();
after(() => hush.stop());

beforeEach(async () => {
  await hush.reset();
  await hush.putUser("dana", { claims: { name: "Dana Diaz" } });
  await hush.putClient(app.client, registration);
});
test("the app of a signed-in user renews its tokens", async () => {
  const dana = await hush.signIn("dana");
  assert.ok((await dana.renew(app)).access_token);
});
test("a renewal fails on purpose", async () => {
  const dana = await hush.signIn("dana");
  await hush.fail({ fault: "session_expired", client: app.client });
  await assert.rejects(dana.renew(app), { error: "login_required" });
  assert.equal((await hush.flows({ client: app.client, outcome: "failed" })).length, 1);
});
test("the session ends with its lifetime", async () => {
  const dana = await hush.signIn("dana");
  await hush.clock({ forward: "240h" });
  await assert.rejects(dana.renew(app), { error: "login_required" });
});
