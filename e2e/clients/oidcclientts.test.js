// oidc-client-ts, what single-page apps use: every method of UserManager that asks the network.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openChromium } from "../harness/browser.js";
import { clickLogin } from "../harness/person.js";
import { startProvider } from "../harness/provider.js";
import { call, events, openApp, paths, registered, startApp } from "./usermanager.js";

/** @typedef {import("puppeteer-core").Page} Page */

/** @type {import("../harness/provider.js").Provider} */
let provider;
/** @type {import("../harness/site.js").Site} */
let app;
/** @type {import("../harness/browser.js").Opened} */
let chromium;

const offline = "openid profile offline_access";

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
      await openApp(tab, app.origin, settings);
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

/** Waits until a page of the app is there, and its script. @param {Page} tab @param {string} path */
function arrives(tab, path) {
  return tab.waitForFunction((wanted) => location.pathname === wanted && "manager" in globalThis, {}, path);
}

/**
 * Signs in by redirect.
 * @param {Page} tab
 * @param {object} [args]
 */
async function signIn(tab, args = {}) {
  await leave(tab, "signinRedirect", args);
  await clickLogin(tab, "alice");
  await arrives(tab, paths.callback);
  return call(tab, "signinRedirectCallback");
}

/**
 * Calls a method that leads the whole window away.
 * @param {Page} tab
 * @param {string} method
 * @param {object} [args]
 */
async function leave(tab, method, args = {}) {
  const left = tab.waitForNavigation();
  await call(tab, method, args).catch(() => {}); // the page is gone before it can answer
  await left;
}

/**
 * Calls a method that opens a popup, and does something there.
 * @param {Page} tab
 * @param {string} method
 * @param {(popup: Page) => Promise<void>} [act]
 */
async function inPopup(tab, method, act = () => Promise.resolve()) {
  const opened = new Promise((resolve) => tab.once("popup", resolve));
  const result = call(tab, method, {});
  await act(/** @type {Page} */ (await opened));
  return result;
}

/** @param {Page} tab @param {string} name of an event */
function hears(tab, name) {
  return tab.waitForFunction((wanted) => /** @type {any} */ (globalThis).happened.includes(wanted), {}, name);
}

/**
 * What the provider says about an access token: the status of userinfo.
 * @param {string} token
 */
async function userinfo(token) {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${provider.issuer}/userinfo`, { headers })).status;
}

/** The message of the error that a call ends with. @param {Promise<unknown>} call */
function refusal(call) {
  return call.then(
    () => "none",
    (error) => String(error),
  );
}

describe("oidc-client-ts", () => {
  before(async () => {
    provider = await startProvider({ clients: [registered] }, { host: "localhost" });
    app = await startApp(provider.issuer);
    chromium = await openChromium("blocked");
  });
  after(async () => {
    await chromium?.close();
    await app?.stop();
    await provider?.stop();
  });

  scene("signinRedirect and signinRedirectCallback", async (newTab) => {
    const user = await signIn(await newTab());
    assert.equal(user.profile.sub, "alice");
    assert.equal(await userinfo(user.access_token), 200);
  });

  scene("signinRedirect with loadUserInfo, claims by userinfo, response_mode fragment, state", async (newTab) => {
    const tab = await newTab({ loadUserInfo: true, response_mode: "fragment" });
    const user = await signIn(tab, { url_state: "kept" });
    assert.equal(user.profile.name, "Alice Archer");
    assert.equal(user.url_state, "kept");
  });

  scene("signinPopup: the popup closes itself", async (newTab) => {
    const tab = await newTab();
    const user = await inPopup(tab, "signinPopup", (popup) => clickLogin(popup, "bob"));
    assert.equal(user.profile.sub, "bob");
  });

  scene("signinSilent by iframe", async (newTab) => {
    const tab = await newTab();
    const before = await signIn(tab);
    const after = await call(tab, "signinSilent");
    assert.notEqual(after.access_token, before.access_token);
    assert.equal(after.profile.auth_time, before.profile.auth_time);
  });

  scene("signinSilent by refresh token, which is rotated", async (newTab) => {
    const tab = await newTab({ scope: offline });
    const before = await signIn(tab);
    assert.ok(before.refresh_token);
    const after = await call(tab, "signinSilent");
    assert.notEqual(after.refresh_token, before.refresh_token);
    assert.notEqual(after.access_token, before.access_token);
    assert.equal(after.profile.sub, "alice");
  });

  scene("signinResourceOwnerCredentials is refused: RFC 9700 §2.4 forbids the password grant", async (newTab) => {
    const tab = await newTab();
    const asked = call(tab, "signinResourceOwnerCredentials", { username: "alice", password: "alice" });
    assert.match(await refusal(asked), /grant_type 'password' is not supported/);
  });

  scene("signoutRedirect and signoutRedirectCallback", async (newTab) => {
    const tab = await newTab();
    await signIn(tab);
    await leave(tab, "signoutRedirect", { state: "bye" });
    await arrives(tab, paths.signedOut);
    assert.equal((await call(tab, "signoutRedirectCallback")).userState, "bye");
    assert.match(await refusal(call(tab, "signinSilent")), /login_required|signed in/i);
  });

  scene("signoutPopup: the popup closes itself", async (newTab) => {
    const tab = await newTab();
    await signIn(tab);
    await inPopup(tab, "signoutPopup");
    assert.equal(await call(tab, "getUser"), null);
    assert.match(await refusal(call(tab, "signinSilent")), /login_required|signed in/i);
  });

  scene("signoutSilent, with the ID token as hint: no page is needed", async (newTab) => {
    const tab = await newTab({ includeIdTokenInSilentSignout: true });
    await signIn(tab);
    await call(tab, "signoutSilent");
    assert.equal(await call(tab, "getUser"), null);
    assert.match(await refusal(call(tab, "signinSilent")), /login_required|signed in/i);
  });

  scene("revokeTokens: access token and refresh token", async (newTab) => {
    const tab = await newTab({ scope: offline });
    const { access_token: token } = await signIn(tab);
    assert.equal(await userinfo(token), 200);
    await call(tab, "revokeTokens");
    assert.equal(await userinfo(token), 401);
    assert.equal((await call(tab, "getUser")).refresh_token ?? null, null);
  });

  scene("signoutRedirect with revokeTokensOnSignout", async (newTab) => {
    const tab = await newTab({ revokeTokensOnSignout: true });
    const { access_token: token } = await signIn(tab);
    await leave(tab, "signoutRedirect");
    assert.equal(await userinfo(token), 401);
  });

  scene("querySessionStatus: the session_state and the sub of who is signed in", async (newTab) => {
    const tab = await newTab();
    const user = await signIn(tab);
    assert.ok(user.session_state);
    const status = await call(tab, "querySessionStatus");
    assert.equal(status.sub, "alice");
    assert.ok(status.session_state);
  });

  scene("monitorSession notices a sign-out in another tab", async (newTab) => {
    const settings = { monitorSession: true, checkSessionIntervalInSeconds: 1 };
    const tab = await newTab(settings);
    await signIn(tab);
    const other = await newTab(settings);
    await other.goto(`${provider.issuer}/logout`);
    await Promise.all([other.waitForNavigation(), other.click("#logout-confirm")]);
    await tab.bringToFront();
    await hears(tab, "UserSignedOut");
  });

  scene("monitorSession notices that somebody else signed in", async (newTab) => {
    const settings = { monitorSession: true, checkSessionIntervalInSeconds: 1 };
    const tab = await newTab(settings);
    await signIn(tab);
    const other = await newTab();
    await leave(other, "signinRedirect", { prompt: "login" });
    await clickLogin(other, "bob");
    await arrives(other, paths.callback);
    await tab.bringToFront();
    await hears(tab, "UserSignedOut"); // for the library another user is the end of this one
  });

  scene("DPoP: the code, the tokens and their renewal are bound to the browser's key", async (newTab) => {
    const tab = await newTab({ dpop: true, scope: offline });
    const user = await signIn(tab);
    assert.equal(user.token_type, "DPoP");
    assert.equal(await userinfo(user.access_token), 401, "a bound token is no bearer token");
    const status = await tab.evaluate(async (address) => {
      const { manager } = /** @type {any} */ (globalThis);
      const who = await manager.getUser();
      const headers = { authorization: `DPoP ${who.access_token}`, dpop: await manager.dpopProof(address, who) };
      return (await fetch(address, { headers })).status;
    }, `${provider.issuer}/userinfo`);
    assert.equal(status, 200);
    const renewed = await call(tab, "signinSilent");
    assert.equal(renewed.token_type, "DPoP");
    assert.notEqual(renewed.access_token, user.access_token);
  });

  scene("the metadata that the library reads, and its keys", async (newTab) => {
    const tab = await newTab();
    const read = await tab.evaluate(async () => {
      const { metadataService } = /** @type {any} */ (globalThis).manager;
      return {
        issuer: await metadataService.getIssuer(),
        authorize: await metadataService.getAuthorizationEndpoint(),
        token: await metadataService.getTokenEndpoint(),
        userinfo: await metadataService.getUserInfoEndpoint(),
        session: await metadataService.getCheckSessionIframe(),
        logout: await metadataService.getEndSessionEndpoint(),
        revoke: await metadataService.getRevocationEndpoint(),
        keys: (await metadataService.getSigningKeys()).length,
      };
    });
    assert.equal(read.issuer, provider.issuer);
    assert.equal(read.keys, 1);
    for (const endpoint of [read.authorize, read.token, read.userinfo, read.session, read.logout, read.revoke]) {
      assert.ok(endpoint.startsWith(`${provider.issuer}/`));
    }
  });

  scene("events: loaded at sign-in, unloaded at sign-out", async (newTab) => {
    const tab = await newTab();
    await signIn(tab);
    assert.deepEqual(await events(tab), ["UserLoaded"]);
    await call(tab, "removeUser");
    assert.deepEqual(await events(tab), ["UserLoaded", "UserUnloaded"]);
  });
});
