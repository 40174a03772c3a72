// keycloak-js with a provider that is not Keycloak. It sends its token requests with credentials: "include". Requests of
// tracing SDKs and of okta-auth-js, which add headers of their own, are here too.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openChromium } from "../harness/browser.js";
import { Console } from "../harness/console.js";
import { clickLogin } from "../harness/person.js";
import { startProvider } from "../harness/provider.js";
import { inPackage, page, startSite } from "../harness/site.js";

/** @typedef {import("puppeteer-core").Page} Page */

/** @type {import("../harness/provider.js").Provider} */
let provider;
/** @type {import("../harness/site.js").Site} */
let app;
/** @type {import("../harness/site.js").Site} */
let stranger;
/** @type {import("../harness/browser.js").Opened} */
let chromium;

const client = {
  client_id: "keycloak",
  token_endpoint_auth_method: "none",
  redirect_uris: ["http://localhost/", "http://localhost/silent-check-sso.html"],
  post_logout_redirect_uris: ["http://localhost/"],
  first_party: true,
};

/** The page of the application. The test says how it begins. @param {string} issuer */
const script = (issuer) => `
  import Keycloak from "/keycloak.js";
  globalThis.keycloak = new Keycloak({ oidcProvider: ${JSON.stringify(issuer)}, clientId: "keycloak" });
  globalThis.begin = (onLoad) => keycloak.init({
    onLoad, checkLoginIframe: false, silentCheckSsoRedirectUri: location.origin + "/silent-check-sso.html",
  });
  if (new URLSearchParams(location.hash.slice(1)).has("code")) globalThis.signedIn = begin("check-sso");
`;

/** Calls a function of the page. @param {Page} tab @param {string} expression @returns {Promise<any>} */
const run = (tab, expression) => tab.evaluate(`(async () => ${expression})()`);

/** Waits for the script of the page. @param {Page} tab */
async function ready(tab) {
  await tab.waitForFunction((origin) => location.origin === origin && "begin" in globalThis, {}, app.origin);
}

/** Signs in by redirect. @param {Page} tab */
async function signIn(tab) {
  const left = tab.waitForNavigation();
  await tab.evaluate(() => void (/** @type {any} */ (globalThis).begin("login-required")));
  await left;
  await clickLogin(tab, "alice");
  await ready(tab);
  return run(tab, "await globalThis.signedIn");
}

/** The provider's console. @returns {Console} */
const theConsole = () => new Console(/** @type {any} */ ({ issuer: provider.issuer, idp: provider.issuer }));

/**
 * What a script of the page gets for a request with credentials.
 * @param {Page} tab
 * @param {string} path
 * @param {RequestInit} [init]
 * @returns {Promise<number | string>} the status, or why the browser gave no answer
 */
function ask(tab, path, init = {}) {
  const send = (/** @type {string} */ url, /** @type {RequestInit} */ request) =>
    fetch(url, { credentials: "include", ...request }).then((answer) => answer.status, String);
  return tab.evaluate(send, provider.issuer + path, init);
}

/**
 * Defines a test in a browser context of its own.
 * @param {string} sentence
 * @param {(newTab: (origin?: string) => Promise<Page>) => Promise<void>} tell
 */
function scene(sentence, tell) {
  test(sentence, async () => {
    const context = await chromium.browser.createBrowserContext();
    try {
      await tell(async (origin = app.origin) => {
        const tab = await context.newPage();
        await tab.goto(`${origin}/`);
        if (origin === app.origin) await ready(tab);
        return tab;
      });
    } catch (error) {
      console.error(`=== ${sentence}\n${provider.program.output.slice(-4000)}`);
      throw error;
    } finally {
      await context.close();
    }
  });
}

describe("keycloak-js, and other scripts with headers and credentials of their own", () => {
  before(async () => {
    provider = await startProvider({ clients: [client] }, { host: "localhost" });
    const start = '<!doctype html><html lang="en"><title>A client</title><script type="module" src="/app.js"></script>';
    const silent = "<!doctype html><script>parent.postMessage(location.href, location.origin)</script>";
    app = await startSite({
      "/": start,
      "/silent-check-sso.html": silent,
      "/keycloak.js": inPackage("keycloak-js/lib/keycloak.js"),
      "/app.js": script(provider.issuer),
    });
    stranger = await startSite({ "/": page() }, { host: "other.localhost" });
    chromium = await openChromium("blocked");
  });
  after(async () => {
    await chromium?.close();
    await stranger?.stop();
    await app?.stop();
    await provider?.stop();
  });

  scene("login-required: the code is redeemed, and userinfo answers", async (newTab) => {
    const tab = await newTab();
    assert.equal(await signIn(tab), true);
    assert.equal(await run(tab, "keycloak.tokenParsed.sub"), "alice");
    assert.equal((await run(tab, "await keycloak.loadUserInfo()")).sub, "alice");
  });

  scene("the console has the token request with its cookies, and claims no API call", async (newTab) => {
    const seen = theConsole();
    await seen.reset();
    await signIn(await newTab());
    const flow = await seen.flow(({ state }) => state === "done", "a flow that is done");
    assert.deepEqual(
      flow.messages?.filter(({ to }) => to === "api"),
      [],
    );
    const token = flow.records?.find(({ endpoint }) => endpoint === "token");
    assert.match(token?.steps?.find(({ kind }) => kind === "cors")?.text ?? "", /credentials: "include"/);
  });

  scene("check-sso in a hidden iframe, in a new tab of the signed-in browser", async (newTab) => {
    await signIn(await newTab());
    const tab = await newTab();
    assert.equal(await run(tab, 'await begin("check-sso")'), true);
    assert.equal(await run(tab, "keycloak.idTokenParsed.sub"), "alice");
  });

  scene("check-sso when nobody is signed in", async (newTab) => {
    assert.equal(await run(await newTab(), 'await begin("check-sso")'), false);
  });

  scene("logout leads back to the application", async (newTab) => {
    const tab = await newTab();
    await signIn(tab);
    const left = tab.waitForNavigation();
    await tab.evaluate(() => void (/** @type {any} */ (globalThis).keycloak.logout()));
    await left;
    await ready(tab);
    assert.equal(await run(tab, 'await begin("check-sso")'), false);
  });

  /** @type {Record<string, Record<string, string>>} */
  const senders = {
    "okta-auth-js": { "X-Okta-User-Agent-Extended": "okta-auth-js/8.0.1" },
    OpenTelemetry: { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "a=b" },
    Sentry: { "sentry-trace": "12312012123120121231201212312012-1121201211212012-1", baggage: "sentry-release=1" },
    axios: { "X-Requested-With": "XMLHttpRequest", "Cache-Control": "no-cache" },
  };
  for (const [name, headers] of Object.entries(senders)) {
    scene(`a script with the headers of ${name}, at discovery, /token and /userinfo`, async (newTab) => {
      const tab = await newTab();
      assert.equal(await ask(tab, "/.well-known/openid-configuration", { headers }), 200);
      assert.equal(await ask(tab, "/token", { method: "POST", body: "grant_type=x", headers }), 400);
      assert.equal(await ask(tab, "/userinfo", { headers }), 401);
    });
  }

  scene("a page of no client reads the public documents, with credentials too, and nothing else", async (newTab) => {
    const seen = theConsole();
    await seen.reset();
    const tab = await newTab(stranger.origin);
    for (const path of ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks"]) {
      assert.equal(await ask(tab, path), 200);
      assert.equal(await ask(tab, path, { credentials: "omit", headers: { traceparent: "00-0-0-00" } }), 200);
    }
    assert.match(String(await ask(tab, "/userinfo", { headers: { traceparent: "00-0-0-00" } })), /Failed to fetch/);
    const flow = await seen.flow(({ state }) => state === "failed", "the refused preflight");
    assert.deepEqual(
      flow.reasons?.map(({ code }) => code),
      ["origin.not_allowed"],
    );
  });
});
