import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as client from "openid-client";
import { Visitor } from "../harness/visitor.js";
import { file, sessions } from "./harness/provider.js";
import { python } from "./harness/python.js";
import { startBoth } from "./harness/start.js";

const uvicorn = ["-m", "uvicorn", "--app-dir", file("fastapi"), "--port", "PORT", "app:app"];
const redirect_uri = "http://localhost:3000/callback";

describe("fastapi", () => {
  /** @type {Awaited<ReturnType<typeof startBoth>>} */
  let api;
  /** @type {client.Configuration} */
  let shop;
  before(async () => {
    api = await startBoth("fastapi", python, uvicorn, { path: "/open" });
    const options = { execute: [client.allowInsecureRequests] }; // http on loopback
    shop = await client.discovery(new URL(api.issuer), "shop", "shop-secret", undefined, options);
  });
  after(() => api?.stop());

  /** The tokens of alice, who signs in to the shop. */
  async function signIn(scope = "openid offline_access orders.read") {
    const visitor = new Visitor(api.issuer);
    const { url } = await visitor.visit(client.buildAuthorizationUrl(shop, { redirect_uri, scope }));
    return { visitor, tokens: await client.authorizationCodeGrant(shop, url) };
  }

  /** Tokens of alice that the console issues. @param {object} [more] */
  const made = (more) => api.console.do("POST", "/console/tokens", { user: "alice", client: "shop", ...more });

  /** The answer of the API. @param {string} [token] */
  async function ask(token) {
    const headers = token ? { authorization: `Bearer ${token}` } : undefined;
    const answer = await fetch(`${api.origin}/orders`, { headers });
    return { status: answer.status, body: await answer.json() };
  }

  test("accepts the access token of a user who signed in, also after a renewal and a sign-out", async () => {
    const { visitor, tokens } = await signIn();
    assert.deepEqual(await ask(tokens.access_token), { status: 200, body: { orders_of: "alice" } });
    const renewed = await client.refreshTokenGrant(shop, tokens.refresh_token ?? "");
    assert.notEqual(renewed.access_token, tokens.access_token);
    assert.equal((await ask(renewed.access_token)).status, 200);
    await visitor.visit(client.buildEndSessionUrl(shop, { id_token_hint: tokens.id_token ?? "" }));
    assert.equal((await sessions(api.console)).length, 0);
    assert.equal((await ask(renewed.access_token)).status, 200); // until it expires
  });

  test("accepts the token that the console makes", async () => {
    assert.equal((await ask((await made({ scope: "openid orders.read" })).access_token)).status, 200);
  });

  test("refuses no token, an expired token, an ID token, and a token for another API", async () => {
    assert.equal((await ask()).status, 401);
    assert.equal((await ask((await made({ expired: true })).access_token)).status, 401);
    assert.equal((await ask((await signIn()).tokens.id_token)).status, 401);
    assert.equal((await ask((await made({ claims: { aud: "urn:example:other" } })).access_token)).status, 401);
  });

  test("the usual mistake, a scope that the client may not ask for, is request.narrowed in the console", async () => {
    await api.console.do("PATCH", "/console/clients/shop", { scope: "openid offline_access" });
    const { tokens } = await signIn();
    assert.equal((await ask(tokens.access_token)).status, 403);
    const flow = await api.console.flowWith("request.narrowed");
    assert.equal(flow.client_id, "shop");
  });
});
