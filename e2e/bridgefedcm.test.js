// After one sign-in by FedCM the bridge of /authorize renews silently where third-party cookies are blocked: each time,
// without a dialog. oidc-client-ts is as it is; the app gives its hidden iframe the attribute allow.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { call, paths, registered, scripts, startApp } from "./clients/usermanager.js";
import { openChromium } from "./harness/browser.js";
import { Dialogs, signInByFedCM } from "./harness/fedcm.js";
import { clickLogin } from "./harness/person.js";
import { startProvider } from "./harness/provider.js";
import { redeem } from "./harness/request.js";
import { page } from "./harness/site.js";

/** @typedef {import("puppeteer-core").Page} Page */

/** What the app adds to its page: the file that docs/blocked-cookies.md shows, for this provider. @param {string} issuer */
async function allow(issuer) {
  const text = await readFile(new URL("docs/allow.js", import.meta.url), "utf8");
  return text.replace("http://localhost:8080", issuer);
}

describe("Renewals by the bridge after a sign-in by FedCM [third-party cookies blocked]", () => {
  /** @type {import("./harness/provider.js").Provider} */
  let provider;
  /** @type {import("./harness/site.js").Site} */
  let app;
  /** @type {import("./harness/browser.js").Opened} */
  let chromium;

  before(async () => {
    provider = await startProvider({ clients: [registered] }, { host: "idp.localhost" });
    app = await startApp(provider.issuer, "app.localhost", {
      "/allowing.html": page(...scripts, "/allow.js"),
      "/allow.js": await allow(provider.issuer),
    });
    chromium = await openChromium("blocked");
  });
  after(async () => {
    await chromium?.close();
    await app?.stop();
    await provider?.stop();
  });

  test("ten in a row, across reloads; none before the sign-in, and none without allow", async (t) => {
    const tab = await chromium.browser.newPage();
    await tab.goto(`${provider.issuer}/login`);
    await clickLogin(tab, "alice");
    await tab.waitForFunction(() => location.pathname === "/");
    await tab.goto(`${app.origin}/allowing.html`);
    assert.match(
      await renewal(tab),
      /\[cookie\.access_denied\]/,
      "before the sign-in by FedCM the browser keeps the cookie",
    );

    await signIn(tab);
    const took = [];
    for (const round of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) {
      const from = performance.now();
      assert.equal(await renewal(tab), "alice", `renewal ${round}`);
      took.push(Math.round(performance.now() - from));
      if (round % 3 === 0) await tab.reload();
    }
    t.diagnostic(`ten renewals took ${took.join(", ")} ms`);

    await tab.goto(app.origin);
    assert.match(await renewal(tab), /\[cookie\.access_denied\]/, "without allow the browser keeps the cookie");
  });

  test("none after the app has disconnected, or after a sign-out at the provider", async () => {
    const tab = await chromium.browser.newPage();
    await tab.goto(`${app.origin}/allowing.html`);
    await signIn(tab);
    assert.equal(await renewal(tab), "alice");
    await tab.evaluate((options) => /** @type {any} */ (window).IdentityCredential.disconnect(options), {
      configURL: `${provider.issuer}/fedcm/config.json`,
      clientId: "app",
      accountHint: "alice",
    });
    assert.match(await renewal(tab), /\[cookie\.access_denied\]/, "the browser has forgotten the sign-in");

    await signIn(tab);
    assert.equal(await renewal(tab), "alice");
    await tab.goto(`${provider.issuer}/logout`);
    await Promise.all([tab.waitForNavigation(), tab.click("#logout-confirm")]);
    await tab.goto(`${app.origin}/allowing.html`);
    assert.match(await renewal(tab), /\[session\.none\]/, "the cookie may come, and there is none");
  });

  /** Signs alice in by FedCM. @param {Page} tab */
  async function signIn(tab) {
    const hush = /** @type {any} */ ({ issuer: provider.issuer, app: app.origin });
    const redirect_uri = app.origin + paths.callback;
    const dialogs = await Dialogs.of(tab);
    const signedIn = signInByFedCM(tab, hush, { clientId: "app", params: { redirect_uri } });
    await dialogs.choose("alice");
    const { status, json } = await redeem(tab, hush, { client_id: "app", redirect_uri, code: (await signedIn).token });
    assert.equal(status, 200, JSON.stringify(json));
  }
});

/** A silent renewal by oidc-client-ts: the sub that it brings, or the error. @param {Page} tab */
function renewal(tab) {
  return call(tab, "signinSilent").then(
    (user) => user.profile.sub,
    (error) => String(error),
  );
}
