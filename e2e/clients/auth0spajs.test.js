// auth0-spa-js, whose silent sign-in is response_mode=web_message in a hidden iframe. It writes https before its domain and has
// its own names for the endpoints, so the provider is https and has aliases.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openChromium } from "../harness/browser.js";
import { clickLogin } from "../harness/person.js";
import { startProvider } from "../harness/provider.js";
import { inPackage, page, startSite } from "../harness/site.js";

/** @typedef {import("puppeteer-core").Page} Page */

/** @type {import("../harness/provider.js").Provider} */
let provider;
/** @type {import("../harness/site.js").Site} */
let app;
/** @type {import("../harness/browser.js").Opened} */
let chromium;

const config = {
  aliases: { token: "/oauth/token", logout: "/v2/logout" },
  clients: [
    {
      client_id: "app",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: ["http://localhost/"],
      post_logout_redirect_uris: ["http://localhost/"],
      first_party: true,
    },
  ],
};

/** The script of the page: a client, as the test's settings want it. @param {string} issuer */
const script = (issuer) => `
  const more = JSON.parse(localStorage.getItem("settings") ?? "{}");
  globalThis.client = new auth0.Auth0Client({
    domain: ${JSON.stringify(new URL(issuer).host)},
    issuer: ${JSON.stringify(issuer)},
    clientId: "app",
    authorizationParams: { redirect_uri: location.origin + "/", ...more.authorizationParams },
    ...more.client,
  });
`;

/**
 * Calls a method of the page's client.
 * @param {Page} tab
 * @param {string} method
 * @param {unknown[]} args
 * @returns {Promise<any>}
 */
function call(tab, method, ...args) {
  return tab.evaluate(
    async (name, given) => {
      try {
        return { result: await /** @type {any} */ (globalThis).client[name](...given) };
      } catch (error) {
        return { error: /** @type {any} */ (error).error ?? String(error) };
      }
    },
    method,
    args,
  );
}

/** @param {Page} tab @param {string} method */
async function leave(tab, method, options = {}) {
  const left = tab.waitForNavigation();
  await call(tab, method, options).catch(() => {}); // the page is gone before it can answer
  await left;
}

/**
 * Opens the app and signs in by redirect.
 * @param {Page} tab
 */
async function signIn(tab) {
  await leave(tab, "loginWithRedirect");
  await clickLogin(tab, "alice");
  await tab.waitForFunction((origin) => location.origin === origin && "client" in globalThis, {}, app.origin);
  assert.equal((await call(tab, "handleRedirectCallback")).error, undefined);
}

/**
 * Defines a test in a browser context of its own.
 * @param {string} sentence
 * @param {(newTab: (settings?: object) => Promise<Page>) => Promise<void>} tell
 */
function scene(sentence, tell) {
  test(sentence, async () => {
    const context = await chromium.browser.createBrowserContext();
    const newTab = async (settings = {}) => {
      const tab = await context.newPage();
      await tab.goto(app.origin);
      await tab.evaluate((text) => localStorage.setItem("settings", text), JSON.stringify(settings));
      await tab.goto(app.origin);
      return tab;
    };
    try {
      await tell(newTab);
    } catch (error) {
      console.error(`=== ${sentence}\n${provider.program.output.slice(-4000)}`);
      throw error;
    } finally {
      await context.close();
    }
  });
}

describe("auth0-spa-js", () => {
  before(async () => {
    provider = await startProvider(config, { host: "localhost", tls: true });
    app = await startSite({
      "/": page("/auth0-spa-js.js", "/app.js"),
      "/auth0-spa-js.js": inPackage("@auth0/auth0-spa-js/dist/auth0-spa-js.production.js"),
      "/app.js": script(provider.issuer),
    });
    // http and https are two sites, so the provider's cookie is a third-party cookie in the iframe.
    chromium = await openChromium("allowed", ["--ignore-certificate-errors"]);
  });
  after(async () => {
    await chromium?.close();
    await app?.stop();
    await provider?.stop();
  });

  scene("loginWithRedirect, and the user", async (newTab) => {
    const tab = await newTab();
    await signIn(tab);
    assert.equal((await call(tab, "getUser")).result.sub, "alice");
  });

  scene("getTokenSilently by web_message, in a tab that knows nobody yet", async (newTab) => {
    await signIn(await newTab());
    const tab = await newTab();
    assert.equal((await call(tab, "getUser")).result, undefined);
    const { result, error } = await call(tab, "getTokenSilently");
    assert.equal(error, undefined);
    assert.equal(result.split(".").length, 3);
    assert.equal((await call(tab, "getUser")).result.sub, "alice");
  });

  scene("getTokenSilently when nobody is signed in: login_required, at once", async (newTab) => {
    assert.equal((await call(await newTab(), "getTokenSilently")).error, "login_required");
  });

  scene("checkSession: nobody is no error", async (newTab) => {
    const tab = await newTab();
    assert.deepEqual(await call(tab, "checkSession"), {});
    assert.equal((await call(tab, "isAuthenticated")).result, false);
  });

  scene("loginWithPopup: the popup posts its answer with web_message and closes", async (newTab) => {
    const tab = await newTab();
    const opened = new Promise((resolve) => tab.once("popup", resolve));
    const result = call(tab, "loginWithPopup");
    await clickLogin(/** @type {Page} */ (await opened), "bob");
    assert.equal((await result).error, undefined);
    assert.equal((await call(tab, "getUser")).result.sub, "bob");
  });

  scene("refresh tokens, rotated", async (newTab) => {
    const tab = await newTab({ client: { useRefreshTokens: true } });
    await signIn(tab);
    const silently = { cacheMode: "off", detailedResponse: true };
    const first = await call(tab, "getTokenSilently", silently);
    const second = await call(tab, "getTokenSilently", silently);
    assert.deepEqual([first.error, second.error], [undefined, undefined]);
    assert.notEqual(second.result.access_token, first.result.access_token);
  });

  scene("DPoP", async (newTab) => {
    const tab = await newTab({ client: { useDpop: true } });
    await signIn(tab);
    const { result } = await call(tab, "getTokenSilently", { detailedResponse: true });
    assert.equal(result.token_type, "DPoP");
  });

  scene("logout with id_token_hint: back at the app at once, and signed out", async (newTab) => {
    const tab = await newTab();
    await signIn(tab);
    const hint = (await call(tab, "getIdTokenClaims")).result.__raw;
    await leave(tab, "logout", { logoutParams: { returnTo: `${app.origin}/`, id_token_hint: hint } });
    assert.equal(new URL(tab.url()).origin, app.origin);
    assert.equal((await call(tab, "getTokenSilently")).error, "login_required");
  });

  scene("logout without a hint: the provider asks first, and then the browser is back at the app", async (newTab) => {
    const tab = await newTab();
    await signIn(tab);
    await leave(tab, "logout", { logoutParams: { returnTo: `${app.origin}/` } });
    await tab.waitForSelector("#logout-confirm");
    await Promise.all([tab.waitForNavigation(), tab.click("#logout-confirm")]);
    assert.equal(new URL(tab.url()).origin, app.origin);
    assert.equal((await call(tab, "getTokenSilently")).error, "login_required");
  });
});
