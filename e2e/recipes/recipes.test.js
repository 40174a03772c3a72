// Applications of other people against the provider, each with the hush.yaml beside it. `make recipes` runs this file: it installs
// the applications first.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import * as client from "openid-client";
import { freePort } from "../../scripts/port.js";
import { Program } from "../../scripts/program.js";
import { openChromium } from "../harness/browser.js";
import { clean } from "../harness/hush.js";
import { clickLogin } from "../harness/person.js";
import { Visitor } from "../harness/visitor.js";

/** The path of a file of a recipe. @param {string} name */
const file = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * Starts the provider with a recipe's configuration.
 * @param {string} recipe
 */
async function startProvider(recipe) {
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  const args = ["--config", file(`${recipe}/hush.yaml`), "--listen", `127.0.0.1:${port}`, "--issuer", issuer];
  const program = new Program("The provider", "bin/idp", args, { env: clean() });
  await program.answers(`${issuer}/healthz`);
  return { issuer, program };
}

/**
 * Starts a recipe's application, and waits until path answers.
 * @param {string} command
 * @param {string[]} args
 * @param {{ port: number, path: string, env: NodeJS.ProcessEnv }} how
 */
async function startApp(command, args, { port, path, env }) {
  const program = new Program("The application", command, args, { env: { ...clean(), PORT: String(port), ...env } });
  await program.answers(`http://127.0.0.1:${port}${path}`);
  return program;
}

/**
 * A test of an application that shows a name: alice signs in, and the page greets her.
 * @param {string} recipe
 * @param {{ args: string[], signIn: string, env: (origin: string) => NodeJS.ProcessEnv }} how args of Node; signIn is the page
 */
function greets(recipe, { args, signIn, env }) {
  describe(recipe, () => {
    /** @type {Program[]} */
    const programs = [];
    /** @type {import("../harness/browser.js").Opened} */
    let chromium;
    let origin = "";
    before(async () => {
      const port = await freePort();
      origin = `http://localhost:${port}`;
      const provider = await startProvider(recipe);
      programs.push(provider.program);
      const more = { ISSUER: provider.issuer, ...env(origin) };
      const node = args.map((arg) => arg.replace("PORT", String(port)));
      programs.push(await startApp(process.execPath, node, { port, path: "/", env: more }));
      chromium = await openChromium("blocked");
    });
    after(async () => {
      await chromium?.close();
      for (const program of programs) await program.stop();
    });

    test("shows the name of the user who signed in", async () => {
      const page = await chromium.browser.newPage();
      await page.goto(origin + signIn);
      const button = await page.waitForSelector("form[action$='/signin/hush'] button");
      await Promise.all([page.waitForNavigation(), button?.click()]);
      await clickLogin(page, "alice");
      await page.waitForFunction((app) => location.href === `${app}/`, {}, origin);
      const text = await page.$eval("body", (body) => body.textContent);
      assert.match(text, /Hello, Alice Archer/);
    });
  });
}

greets("auth-express", { args: [file("auth-express/app.js")], signIn: "/auth/signin", env: () => ({}) });

greets("next-auth", {
  args: [file("next-auth/node_modules/next/dist/bin/next"), "dev", file("next-auth"), "-p", "PORT", "-H", "127.0.0.1"],
  signIn: "/api/auth/signin",
  env: (origin) => ({
    NEXTAUTH_URL: origin,
    NEXTAUTH_SECRET: "a-secret-of-this-example-only",
    NEXT_TELEMETRY_DISABLED: "1",
  }),
});

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

  /** What the API answers. @param {string} path @param {string} token */
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
    assert.match(refused.why, /at\+jwt not allowed/);
  });
});
