// Libraries renew a fixed time before a token ends. Where that time is longer than the lifetime, they renew without end,
// and the console names the libraries that do so by default.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openChromium } from "../harness/browser.js";
import { Console } from "../harness/console.js";
import { clickLogin } from "../harness/person.js";
import { startProvider } from "../harness/provider.js";
import { inPackage, startSite } from "../harness/site.js";
import { openApp, registered, startApp } from "./usermanager.js";

/** @typedef {import("puppeteer-core").Page} Page */

/** @type {import("../harness/provider.js").Provider} */
let provider;
/** @type {import("../harness/browser.js").Opened} */
let chromium;

const clients = [
  { ...registered, access_token_lifetime: "90s" },
  {
    ...registered,
    client_id: "axa",
    access_token_lifetime: "70s", // the library takes up to 40 s from its 120 s, at random
    redirect_uris: ["http://localhost/callback"],
  },
];

/** The page of @axa-fr/oidc-client. It renews by refresh tokens. @param {string} issuer */
const axa = (issuer) => `
  import { OidcClient } from "/axa.js";
  const client = OidcClient.getOrCreate()({
    client_id: "axa", authority: ${JSON.stringify(issuer)}, scope: "openid profile offline_access",
    redirect_uri: location.origin + "/callback",
  });
  if (location.pathname === "/callback") await client.loginCallbackAsync();
  else if (!(await client.tryKeepExistingSessionAsync())) await client.loginAsync("/");
`;

/**
 * Waits until the console has a loop of the client, and compares what it says.
 * @param {string} clientId
 * @param {RegExp} seen
 */
async function assertLoop(clientId, seen) {
  const theConsole = new Console(/** @type {any} */ ({ issuer: provider.issuer, idp: provider.issuer }));
  const flow = await theConsole.flow(
    ({ client_id, reasons }) =>
      client_id === clientId &&
      ["renewal.looping", "token.short_lived"].every((code) => reasons?.some((r) => r.code === code)),
    "a loop, and tokens that live too short for it",
  );
  assert.match(flow.reasons?.find(({ code }) => code === "renewal.looping")?.text ?? "", seen);
}

/** @param {(tab: Page) => Promise<void>} tell */
async function inTab(tell) {
  const context = await chromium.browser.createBrowserContext();
  try {
    await tell(await context.newPage());
  } finally {
    await context.close();
  }
}

describe("a renewal offset that is longer than the lifetime", () => {
  before(async () => {
    provider = await startProvider({ clients }, { host: "localhost" });
    chromium = await openChromium("allowed");
  });
  after(async () => {
    await chromium?.close();
    await provider?.stop();
  });

  test("@axa-fr/oidc-client with its defaults, by refresh tokens of 70 s", () =>
    inTab(async (tab) => {
      const start =
        '<!doctype html><html lang="en"><title>A client</title><script type="module" src="/app.js"></script>';
      const site = await startSite({
        "/": start,
        "/callback": start,
        "/app.js": axa(provider.issuer),
        "/axa.js": inPackage("@axa-fr/oidc-client/dist/index.js"),
      });
      try {
        await tab.goto(site.origin);
        await clickLogin(tab, "alice");
        await assertLoop("axa", /tokens live 70 s.+Inferred.+: @axa-fr\/oidc-client 120 s.+MSAL 300 s/);
      } finally {
        await site.stop();
      }
    }));

  test("oidc-client-ts with an offset of 120 s, in a hidden iframe, with tokens of 90 s", () =>
    inTab(async (tab) => {
      const site = await startApp(provider.issuer);
      try {
        const settings = { automaticSilentRenew: true, accessTokenExpiringNotificationTimeInSeconds: 120 };
        await openApp(tab, site.origin, settings);
        await tab.evaluate(() => void (/** @type {any} */ (globalThis).manager.signinRedirect()));
        await clickLogin(tab, "alice");
        await tab.waitForFunction(() => location.pathname === "/callback.html" && "manager" in globalThis);
        await tab.evaluate(() => /** @type {any} */ (globalThis).manager.signinCallback());
        await assertLoop("app", /tokens live 90 s.+Inferred.+: @axa-fr\/oidc-client 120 s.+MSAL 300 s/);
      } finally {
        await site.stop();
      }
    }));
});
