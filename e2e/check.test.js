// Check my app: a small app with oidc-client-ts is right first, and then has one mistake at a time. The console names the
// mistake and the remedy.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { root } from "../scripts/program.js";
import { openApp, paths, startApp } from "./clients/usermanager.js";
import { findings as axe } from "./harness/axe.js";
import { openChromium } from "./harness/browser.js";
import {
  assertFails,
  client,
  consoleOf,
  fetched,
  named,
  renew,
  settings,
  signIn,
  signOut,
  silentPage,
  withApp,
} from "./harness/checkedapp.js";
import { clickLogin } from "./harness/person.js";
import { startProvider } from "./harness/provider.js";
import { inPackage, page } from "./harness/site.js";

/** @type {import("./harness/provider.js").Provider} */
let provider;
/** @type {import("./harness/browser.js").Opened} */
let chromium;

describe("Check my app", () => {
  before(async () => {
    provider = await startProvider({ clients: [client, { ...client, client_id: "other" }] }, { host: "localhost" });
    chromium = await openChromium("blocked");
  });
  after(async () => {
    await chromium?.close();
    await provider?.stop();
  });

  test("a right app: every check holds, and the tab shows it while the app is driven", () =>
    withApp({ provider, chromium }, {}, async (tab, site) => {
      const shown = await tab.browserContext().newPage();
      await shown.goto(`${provider.issuer}/console#check`);
      await shown.waitForSelector("[data-check='redirect.registered'][data-outcome=not_seen]");
      await tab.bringToFront();
      await signIn(tab, site);
      await renew(tab);
      await renew(tab);
      await signOut(tab);

      await shown.bringToFront();
      await shown.waitForSelector("[data-check='logout.hint'][data-outcome=holds]");
      await shown.focus("#check-library");
      await shown.keyboard.press("Tab");
      await shown.keyboard.press("Enter");
      await shown.waitForSelector("#check-pages:not([hidden])");
      const outcomes = await shown.$$eval("details.finding", (items) =>
        items.map((item) => `${item.getAttribute("data-check")} ${item.getAttribute("data-outcome")}`),
      );
      assert.deepEqual(
        outcomes.filter((line) => !line.endsWith(" holds")),
        [],
      );
      assert.match(await shown.$eval("#check-summary", ({ textContent }) => textContent ?? ""), /^0 fail\d+ hold0 not/);
      assert.match(
        await shown.$eval("#check-inferred", ({ textContent }) => textContent ?? ""),
        /have the signs of oidc-client-ts/,
      );
    }));

  test("a callback page that no page may frame", () =>
    withApp(
      { provider, chromium },
      { headers: { [paths.callback]: { "x-frame-options": "DENY" } } },
      async (tab, site) => {
        await signIn(tab, site);
        await renew(tab);
        const findings = await fetched(provider);
        assertFails(findings, "callback.framable", /X-Frame-Options: DENY/, /Leave X-Frame-Options out/);
        assert.deepEqual(named(findings, "fails"), ["callback.framable"]);

        await consoleOf(provider).flowWith("callback.silent");
        const shown = await tab.browserContext().newPage();
        await shown.goto(`${provider.issuer}/console#check?client=other`);
        await shown.waitForSelector("#check-summary .tag");
        assert.equal(
          await shown.$eval("select#check-client", (select) => select.value),
          "other",
          "the address names it",
        );
        await shown.select("#check-client", client.client_id);
        await shown.waitForSelector("[data-check='request.iframe'][data-outcome=holds]");
        await shown.goto(`${provider.issuer}/console#check?client=other`);
        await shown.waitForFunction(
          () => /** @type {any} */ (document.getElementById("check-client")).value === "other",
        );
        await shown.goto(`${provider.issuer}/console#flows`);
        await (await shown.waitForSelector("[data-reason='callback.silent'] a[href^='#check']"))?.click();
        await shown.waitForSelector("[data-check='code.redeemed'][data-outcome=fails]", { visible: true });
        assert.equal(await shown.$eval("select#check-client", (select) => select.value), client.client_id);
      },
    ));

  test("an app whose policy does not allow the iframe", () => {
    const policy = "default-src 'self'; script-src 'self'; connect-src *";
    return withApp(
      { provider, chromium },
      { headers: { "/": { "content-security-policy": policy } } },
      async (tab, site) => {
        await signIn(tab, site);
        await renew(tab);
        const findings = await fetched(provider);
        const frameSrc = new RegExp(`frame-src ${provider.issuer} 'self'`);
        assertFails(findings, "app.frame_src", /default-src 'self', and the iframe loads/, frameSrc);
        assert.deepEqual(named(findings, "fails"), ["app.frame_src"]);
        assert.ok(named(findings, "not_seen").includes("request.iframe"), "the iframe never asked");
      },
    );
  });

  test("a redirect URI that is not registered, in a page that a person looks at on a phone", () =>
    withApp({ provider, chromium }, {}, async (tab, site) => {
      await signIn(tab, site, { silent_redirect_uri: `${site.origin}/renew.html` });
      await renew(tab);
      const findings = await fetched(provider);
      assertFails(findings, "redirect.registered", /path: \/renew.html instead of/, /silent_redirect_uri/);
      assertFails(findings, "flow.renewal", /page instead of a redirect/, /tab Flows/);

      const shown = await tab.browserContext().newPage();
      await shown.goto(`${provider.issuer}/console#check`);
      await shown.waitForSelector("[data-check='redirect.registered'][open] .remedy");
      assert.deepEqual(await axe(shown), []);
      await shown.setViewport({ width: 390, height: 800 });
      assert.ok(await shown.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing is cut off");
      await shown.focus("[data-check='request.hint'] summary");
      await shown.keyboard.press("Enter");
      await shown.waitForSelector("[data-check='request.hint'][open]");
      await shown.select("#check-library", "MSAL");
      await shown.waitForFunction(() =>
        /auth\.redirectUri/.test(
          document.querySelector("[data-check='redirect.registered'] .remedy")?.textContent ?? "",
        ),
      );
    }));

  test("a callback page that ignores the answer", () =>
    withApp({ provider, chromium }, { files: { [silentPage]: page() } }, async (tab, site) => {
      await signIn(tab, site, { silent_redirect_uri: site.origin + silentPage });
      await renew(tab);
      await consoleOf(provider).flowWith("callback.silent");
      const findings = await fetched(provider);
      assertFails(findings, "code.redeemed", /not redeemed within/, /must call signinCallback\(\)/);
      assert.deepEqual(named(findings, "fails"), ["code.redeemed", "flow.renewal"]);
    }));

  test("tokens that live as long as the library's renewal offset", () =>
    withApp({ provider, chromium }, {}, async (tab, site) => {
      await consoleOf(provider).do("PATCH", "/console/clients/app", { access_token_lifetime: "60s" });
      await signIn(tab, site, { automaticSilentRenew: false });
      const findings = await fetched(provider);
      const remedy = /access_token_lifetime .+ accessTokenExpiringNotificationTimeInSeconds/;
      assertFails(findings, "lifetime.offset", /expires_in is 60 s/, remedy);
      assert.deepEqual(named(findings, "fails"), ["lifetime.offset"]);
    }));

  test("a request without a hint, and a sign-out to an address that is not registered", () =>
    withApp({ provider, chromium }, {}, async (tab, site) => {
      const more = { includeIdTokenInSilentRenew: false, post_logout_redirect_uri: `${site.origin}/bye.html` };
      await signIn(tab, site, more);
      await renew(tab);
      await tab.evaluate(() => void (/** @type {any} */ (globalThis).manager.signoutRedirect()));
      await tab.waitForFunction((issuer) => location.origin === issuer, {}, provider.issuer);
      const findings = await fetched(provider);
      assertFails(
        findings,
        "request.hint",
        /neither id_token_hint nor login_hint/,
        /includeIdTokenInSilentRenew: true/,
      );
      assertFails(findings, "logout.address", /bye.html is not registered/, /post_logout_redirect_uri/);
      assert.deepEqual(named(findings, "fails"), ["request.hint", "logout.address"]);
    }));

  test("two sites and a browser that blocks third-party cookies", () =>
    withApp({ provider, chromium }, { host: "app.localhost" }, async (tab, site) => {
      await signIn(tab, site);
      await renew(tab);
      const findings = await fetched(provider);
      assertFails(findings, "cookie.came", /Sec-Fetch-Site: cross-site/, /renewal-ladder.js/);
      assertFails(findings, "cookie.site", /app.localhost and localhost are two sites/, /under one domain/);
      const reason = findings.find(({ check }) => check === "cookie.came")?.reason;
      assert.equal(reason, "cookie.access_denied");
      assert.deepEqual(named(findings, "fails"), ["cookie.came", "cookie.site", "flow.renewal"]);
    }));
});

test("an app whose origin is not that of a redirect URI: its script may not read the tokens", async () => {
  const callback = "http://callback.demo.localhost/tell.html";
  const of = await startProvider(
    { clients: [{ ...client, redirect_uris: [callback] }] },
    { host: "idp.demo.localhost" },
  );
  const { browser, close } = await openChromium("blocked");
  const tell = `parent.postMessage({ source: "oidc-client", url: location.href }, "*")`;
  const files = { "/tell.html": page("/tell.js"), "/tell.js": tell };
  const site = await startApp(of.issuer, "app.demo.localhost", files);
  try {
    const tab = await browser.newPage();
    await tab.goto(`${of.issuer}/login`);
    await Promise.all([tab.waitForNavigation(), clickLogin(tab, "alice")]);
    const origin = `http://callback.demo.localhost:${new URL(site.origin).port}`;
    await openApp(tab, site.origin, {
      ...settings,
      silent_redirect_uri: `${origin}/tell.html`,
      iframeScriptOrigin: origin,
    });
    await renew(tab);
    const theConsole = consoleOf(of);
    await theConsole.flowWith("origin.not_allowed");
    const { findings } = await theConsole.read(`/console/checks?client=${client.client_id}`);
    assertFails(findings, "cors.origin", /of origin http:\/\/app.demo.localhost/, /allowed_cors_origins/);
  } finally {
    await site.stop();
    await close();
    await of.stop();
  }
});

// A setting that the library does not have would be no remedy.
test("the settings that remedies name are in the libraries", async () => {
  const text = await readFile(new URL("idp/dev/check/libraries.yaml", root), "utf8");
  const documented = await readFile(new URL("docs/configuration.md", root), "utf8");
  const packages = /** @type {const} */ ({
    "oidc-client-ts": "oidc-client-ts/dist/esm/oidc-client-ts.js",
    "keycloak-js": "keycloak-js/lib/keycloak.js",
    "auth0-spa-js": "@auth0/auth0-spa-js/dist/auth0-spa-js.production.esm.js",
    "@axa-fr/oidc-client": "@axa-fr/oidc-client/dist/index.js",
  });
  for (const [library, file] of Object.entries(packages)) {
    const own = text.split(/^- name: /m).find((part) => part.replaceAll('"', "").startsWith(`${library}\n`)) ?? "";
    const words = new Set(own.replace(/\{\w+\}/g, "").match(/\b[a-z]+(?:[A-Z]\w+|_\w+)\b/g));
    assert.ok(words.size > 5, library);
    const source = await readFile(inPackage(file), "utf8");
    const unknown = [...words].filter((word) => !source.includes(word) && !documented.includes(word));
    assert.deepEqual(unknown.toSorted(), ["sign_in", "sign_out"], `${library} has no such settings`); // the keys of the file
  }
});
