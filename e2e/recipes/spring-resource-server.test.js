// An API with Spring Security, which checks access tokens by itself.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as client from "openid-client";
import { freePort } from "../../scripts/port.js";
import { Visitor } from "../harness/visitor.js";
import { startApp } from "./harness/app.js";
import { file, startProvider } from "./harness/provider.js";

/** @typedef {import("../../scripts/program.js").Program} Program */

describe("spring-resource-server", () => {
  /** @type {Program[]} */
  const programs = [];
  let [issuer, api] = ["", ""];
  before(async () => {
    const port = await freePort();
    api = `http://localhost:${port}`;
    const provider = await startProvider("spring-resource-server");
    programs.push(provider.program);
    issuer = provider.issuer;
    const jar = file("spring-resource-server/target/resource-server.jar");
    const env = { ISSUER: issuer, SERVER_PORT: String(port) };
    programs.push(await startApp("/usr/bin/java", ["-jar", jar], { port, path: "/open", env }));
  });
  after(async () => {
    for (const program of programs) await program.stop();
  });

  /** @param {string} id */
  function discover(id) {
    const options = { execute: [client.allowInsecureRequests] }; // http on loopback
    return client.discovery(new URL(issuer), id, `${id}-secret`, undefined, options);
  }

  /** The access token of a user who signed in to the client app. @param {string} name */
  async function tokenOf(name) {
    const config = await discover("app");
    const redirect_uri = "http://localhost:3000/callback";
    const request = client.buildAuthorizationUrl(config, { redirect_uri, scope: "openid roles" });
    const { url } = await new Visitor(issuer, name).visit(request);
    return (await client.authorizationCodeGrant(config, url)).access_token;
  }

  /** The access token of a client for itself. @param {string} id */
  async function tokenFor(id) {
    return (await client.clientCredentialsGrant(await discover(id))).access_token;
  }

  /** The answer of the API. @param {string} path @param {string} token */
  async function ask(path, token) {
    const answer = await fetch(api + path, { headers: { authorization: `Bearer ${token}` } });
    return { status: answer.status, text: await answer.text(), why: answer.headers.get("www-authenticate") ?? "" };
  }

  test("accepts the token of a user, and reads the roles", async () => {
    const [alice, bob] = await Promise.all([tokenOf("alice"), tokenOf("bob")]);
    assert.deepEqual(await ask("/me", alice), { status: 200, text: "alice", why: "" });
    assert.equal((await ask("/admin", alice)).status, 200);
    assert.equal((await ask("/me", bob)).status, 200);
    assert.equal((await ask("/admin", bob)).status, 403);
  });

  test("accepts the token of a client, with the client's own roles", async () => {
    const token = await tokenFor("nightly");
    assert.deepEqual(await ask("/me", token), { status: 200, text: "nightly", why: "" });
    assert.equal((await ask("/admin", token)).status, 200);
  });

  test("refuses a token of type at+jwt, which is why the recipe has access_token_type", async () => {
    const refused = await ask("/me", await tokenFor("without"));
    assert.equal(refused.status, 401);
    assert.match(refused.why, /typ value needs to be one of \[JWT\]/);
  });
});
