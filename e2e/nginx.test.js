// nginx before the provider: with deploy/nginx.conf, and with the lines of docs/operations.md for an issuer with a path.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { openChromium } from "./harness/browser.js";
import { startBehindNginx } from "./harness/nginx.js";
import { clickLogin } from "./harness/person.js";
import { authorizeURL } from "./harness/request.js";

const metadata = "/.well-known/openid-configuration";

/** @type {import("./harness/browser.js").Opened} */
let chromium;

before(async () => {
  chromium = await openChromium("blocked");
});
after(() => chromium?.close());

// twice is the status of the metadata behind the path twice: a proxy that removes one path finds them. bare is that of the issuer
// itself: without a line of its own nginx redirects it.
for (const { lines, path, twice, bare } of [
  { path: "", twice: 200, bare: 200 },
  { path: "/auth", lines: "keeps-the-path.conf", twice: 404, bare: 200 },
  { path: "/auth", lines: "removes-the-path.conf", twice: 200, bare: 301 },
]) {
  test(`nginx with ${lines ?? "deploy/nginx.conf as it is"}: discovery, sign-in and a silent request`, async () => {
    const { issuer, stop } = await startBehindNginx(path, lines);
    try {
      await findsTheDocuments(issuer, path);
      assert.equal((await fetch(issuer + path + metadata)).status, twice);
      assert.equal((await fetch(issuer, { redirect: "manual" })).status, bare);
      await passesOnALongRequest(issuer);
      await signsIn(issuer, path === "" ? "/" : path);
    } finally {
      await stop();
    }
  });
}

/** @param {string} issuer @param {string} path */
async function findsTheDocuments(issuer, path) {
  const { origin } = new URL(issuer);
  const atRoot = [metadata, "/.well-known/oauth-authorization-server"].map((name) => origin + name + path);
  for (const address of [issuer + metadata, ...atRoot]) {
    const answer = await fetch(address);
    assert.equal((await answer.json()).issuer, issuer, address);
  }
  const fedcm = await (await fetch(`${origin}/.well-known/web-identity`)).json();
  assert.deepEqual(fedcm.provider_urls, [`${issuer}/fedcm/config.json`]);
}

/** The redirect to the sign-in carries the request, so its header is long. @param {string} issuer */
async function passesOnALongRequest(issuer) {
  const state = randomBytes(5000).toString("base64url"); // what repeats itself would be compressed
  const answer = await fetch(request(issuer, { prompt: undefined, state }), { redirect: "manual" });
  assert.equal(answer.status, 303);
  const location = answer.headers.get("location") ?? "";
  assert.ok(new URL(location, issuer).href.startsWith(`${issuer}/login?`), location);
  assert.ok(location.length > 6000, `${location.length} characters`);
}

/**
 * alice signs in by a click, and the next silent request brings a code.
 * @param {string} issuer
 * @param {string} path of the cookies
 */
async function signsIn(issuer, path) {
  const context = await chromium.browser.createBrowserContext();
  const page = await context.newPage();
  await page.goto(`${issuer}/login`);
  await clickLogin(page, "alice");
  await page.waitForFunction((home) => location.href === home, {}, `${issuer}/`);
  const cookies = (await context.cookies()).filter(({ name }) => name.startsWith("hush-"));
  assert.ok(cookies.length >= 4, `${cookies.length} cookies`); // the session and its state, each twice over http
  for (const cookie of cookies) assert.equal(cookie.path, path, cookie.name);
  const answered = page.waitForResponse((response) => response.url().startsWith(`${issuer}/authorize?`));
  await page.goto(request(issuer, {})).catch(() => undefined); // nothing listens at the address of the app
  const location = new URL((await answered).headers().location ?? "", issuer);
  assert.ok(location.searchParams.has("code"), location.href);
  await context.close();
}

/** @param {string} issuer @param {import("./harness/request.js").Change} change */
const request = (issuer, change) => authorizeURL(/** @type {any} */ ({ issuer, app: "http://localhost:9090" }), change);
