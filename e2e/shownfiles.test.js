// The code that the documents show: the files of e2e/docs, as they are, in Chromium with third-party cookies blocked.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { clickInFrame, setStorageAccess } from "./harness/access.js";
import { Dialogs } from "./harness/fedcm.js";
import { clickLogin, signOutAtProvider } from "./harness/person.js";
import { pkce } from "./harness/request.js";
import { startShown } from "./harness/shown.js";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("./harness/shown.js").Shown} Shown */

/**
 * Tests that share an app, a provider and a browser.
 * @param {string} title
 * @param {() => Promise<Shown>} start
 * @param {(scene: (sentence: string, tell: (shown: Shown, tab: Page) => Promise<void>) => void) => void} define
 */
function shown(title, start, define) {
  describe(title, () => {
    /** @type {Shown} */
    let started;
    before(async () => {
      started = await start();
    });
    after(() => started?.stop());
    define((sentence, tell) => {
      test(sentence, async () => {
        const tab = await started.browser.newPage();
        await tell(started, tab);
        await tab.close();
      });
    });
  });
}

const onePage = { "/": "single-page-app.js", "/callback": "single-page-app.js" };
const shortLived = { access_token_lifetime: "62s" }; // oidc-client-ts renews 60 seconds before

shown(
  "single-page-app.js",
  () => startShown("http://localhost:5173", onePage, shortLived),
  (scene) => {
    scene("signs in, greets, renews by itself, and signs out", async ({ app }, tab) => {
      const silent = silentRequests(tab);
      await tab.goto(app);
      await clickLogin(tab, "alice");
      await tab.waitForFunction(() => document.body.textContent === "Hello Alice Archer");
      assert.equal((await userOf(tab))?.profile.email, "alice@example.com");
      const before = silent.length;
      await until(() => silent.length > before, "a renewal without a call");
      assert.ok(silent.at(-1)?.has("id_token_hint"), `${silent.at(-1)}`);
      await call(tab, "/single-page-app.js", ({ userManager }) => void userManager.signoutRedirect());
      await tab.waitForSelector("#login-as-alice"); // the page at post_logout_redirect_uri asks for a sign-in again
    });
  },
);

const pages = { "/": "ladder.js", "/callback": "callback.js", "/allowing.html": "allow.js", "/plain.html": "" };
const twoSites = () => startShown("http://app.localhost:5173", pages);

shown("ladder.js and callback.js", twoSites, (scene) => {
  scene("FedCM is the first step; then hidden iframes renew until the sign-out", async (stage, tab) => {
    await signInAtProvider(stage, tab);
    await tab.goto(stage.app);
    const said = decisions(tab);
    const dialogs = await Dialogs.of(tab);
    await renew(tab);
    await takes(tab, "fedcm");
    assert.match(said.join(), /^fedcm .*cookie\.access_denied/);
    assert.match(await tab.$eval("#step", (button) => button.getAttribute("title") ?? ""), /cookie\.access_denied/);
    await dialogs.choose("alice");
    await until(() => said.at(-1)?.startsWith("iframe "), "a renewal by hidden iframe");
    assert.equal((await userOf(tab))?.profile.sub, "alice");

    await tab.reload();
    const silent = silentRequests(tab);
    await renew(tab);
    await until(() => said.length > 2, "a renewal after a reload");
    assert.match(said.at(-1) ?? "", /^iframe /);
    assert.ok(silent[0]?.has("id_token_hint") && silent[0].has("dpop_jkt"), `${silent}`);

    await signOutAtProvider(tab, /** @type {any} */ (stage));
    await tab.goto(stage.app);
    await renew(tab);
    await clickLogin(tab, "alice");
    await tab.waitForFunction((home) => location.href === home, {}, `${stage.app}/`);
    assert.equal((await userOf(tab))?.profile.sub, "alice");
  });

  scene("settings.js: an automatic renewal without an answer is an error", async (stage, tab) => {
    await signInAtProvider(stage, tab);
    await tab.goto(stage.app);
    await renew(tab);
    await until(() => userOf(tab), "a user");
    await tab.goto(`${stage.app}/plain.html`);
    await stage.console.fault({ fault: "delay", endpoint: "authorize", delay: "10s" });
    const soon = { silentRequestTimeoutInSeconds: 1, accessTokenExpiringNotificationTimeInSeconds: 300 };
    assert.equal(await tab.evaluate(renewalError, "oidc-client-ts", "/settings.js", soon), "ErrorTimeout");
  });
});

shown("ladder.js and callback.js, if the person refuses", twoSites, (scene) => {
  scene(
    "to ask is the second step, and a refresh token that is bound to the browser is the third",
    async (stage, tab) => {
      await refuses(stage, tab);
      await takes(tab, "refresh_token");
      await until(() => userOf(tab), "a user");
      const user = await userOf(tab);
      assert.ok(user?.refresh_token);
      assert.equal(user?.token_type, "DPoP");
    },
  );

  scene("a redirect is the last step, and comes back to the same page", async (stage, tab) => {
    await refuses(stage, tab);
    const other = await stage.browser.newPage();
    await signOutAtProvider(other, /** @type {any} */ (stage));
    await tab.bringToFront();
    const [popup] = await Promise.all([nextPage(tab), takes(tab, "refresh_token")]);
    await popup?.waitForSelector("#login-as-alice");
    await popup?.close();
    await other.bringToFront();
    await signInAtProvider(stage, other);
    await tab.bringToFront();
    await Promise.all([tab.waitForNavigation(), takes(tab, "redirect")]);
    await tab.waitForFunction((page) => location.href === page, {}, `${stage.app}/?from=here#there`);
    assert.equal((await userOf(tab))?.profile.sub, "alice");
  });
});

shown("fedcm.js, allow.js and disconnect.js", twoSites, (scene) => {
  scene("hidden iframes renew after the sign-in, with allow, until the app disconnects", async (stage, tab) => {
    await signInAtProvider(stage, tab);
    await tab.goto(`${stage.app}/allowing.html`);
    assert.match(await renewal(tab), /\[cookie\.access_denied\]/, "before the sign-in");
    const dialogs = await Dialogs.of(tab);
    const signedIn = call(
      tab,
      "/fedcm.js",
      ({ signIn }, pair) => signIn("a nonce", pair.verifier, pair.challenge),
      pkce,
    );
    await dialogs.choose("alice");
    const tokens = await signedIn;
    const { sub, nonce, aud } = JSON.parse(Buffer.from(tokens.id_token.split(".")[1], "base64url").toString());
    assert.deepEqual({ sub, nonce, aud: [aud].flat() }, { sub: "alice", nonce: "a nonce", aud: ["spa"] });
    assert.equal(tokens.scope, "openid profile");
    assert.equal(await tab.evaluate(userinfo, stage.issuer, tokens.access_token), 200);
    assert.equal(await renewal(tab), "alice");

    await tab.goto(`${stage.app}/plain.html`);
    assert.match(await renewal(tab), /\[cookie\.access_denied\]/, "without allow");

    await tab.goto(`${stage.app}/allowing.html`);
    assert.equal(await renewal(tab), "alice");
    await call(tab, "/disconnect.js", ({ disconnect }, name) => disconnect(name), sub);
    assert.match(await renewal(tab), /\[cookie\.access_denied\]/, "after disconnect");
    assert.equal(await tab.evaluate(userinfo, stage.issuer, tokens.access_token), 401);
  });
});

/** Signs alice in at the provider itself. @param {Shown} stage @param {Page} tab */
async function signInAtProvider({ issuer }, tab) {
  await tab.goto(`${issuer}/login`);
  if ((await tab.$("#login-as-alice")) === null) return;
  await clickLogin(tab, "alice");
  await tab.waitForFunction((home) => location.href === home, {}, `${issuer}/`);
}

/** The person refuses the first two steps. @param {Shown} stage @param {Page} tab */
async function refuses(stage, tab) {
  await setStorageAccess(stage.browser, /** @type {any} */ (stage), "denied");
  await signInAtProvider(stage, tab);
  await tab.goto(`${stage.app}/?from=here#there`);
  const dialogs = await Dialogs.of(tab);
  await renew(tab);
  await takes(tab, "fedcm");
  await dialogs.dismiss();
  await takes(tab, "ask");
  const frame = await (await tab.waitForSelector("#frame iframe"))?.contentFrame();
  await clickInFrame(frame, "#storage-ask:not([disabled])");
}

/**
 * Calls what a file of the page exports.
 * @template [Given=undefined]
 * @param {Page} tab
 * @param {string} file
 * @param {(exported: any, given: Given) => any} act
 * @param {Given} [given]
 * @returns {Promise<any>}
 */
function call(tab, file, act, given) {
  const source = `async (file, given) => (${act})(await import(file), given)`;
  return tab.evaluate(`(${source})(${JSON.stringify(file)}, ${JSON.stringify(given)})`);
}

/** Calls renew() of ladder.js, and does not wait for its end. @param {Page} tab */
const renew = (tab) => call(tab, "/ladder.js", (exported) => void exported.renew());

/** Waits until the button is for a step, and clicks it. @param {Page} tab @param {string} rung */
async function takes(tab, rung) {
  await tab.waitForFunction((name) => document.querySelector("#step")?.textContent === name, {}, rung);
  await tab.click("#step");
}

/** The user that oidc-client-ts keeps in the tab. @param {Page} tab @returns {Promise<any>} */
function userOf(tab) {
  return tab.evaluate(() => JSON.parse(sessionStorage.getItem("oidc.user:http://localhost:8080:spa") ?? "null"));
}

/** What decided() of ladder.js writes. @param {Page} tab */
function decisions(tab) {
  const said = /** @type {string[]} */ ([]);
  tab.on("console", (message) => message.type() === "info" && said.push(message.text()));
  return said;
}

/** The parameters of silent requests, as they come. @param {Page} tab */
function silentRequests(tab) {
  const silent = /** @type {URLSearchParams[]} */ ([]);
  tab.on("request", (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname === "/authorize" && searchParams.get("prompt") === "none") silent.push(searchParams);
  });
  return silent;
}

/** A renewal by settings.js: the sub that it brings, or the error. @param {Page} tab @returns {Promise<string>} */
function renewal(tab) {
  return tab.evaluate(
    async (library, file) => {
      const [{ UserManager }, { settings }] = await Promise.all([import(library), import(file)]);
      const renewed = new UserManager(settings).signinSilent();
      return renewed.then((/** @type {any} */ user) => user.profile.sub, String);
    },
    "oidc-client-ts",
    "/settings.js",
  );
}

/** The name of the error of an automatic renewal. @param {string} library @param {string} file @param {object} more settings */
async function renewalError(library, file, more) {
  const [{ UserManager }, { settings }] = await Promise.all([import(library), import(file)]);
  const manager = new UserManager({ ...settings, ...more });
  return new Promise((resolve) => {
    manager.events.addSilentRenewError((/** @type {Error} */ error) => resolve(error.name));
    void manager.getUser();
  });
}

/** The status of userinfo. @param {string} issuer @param {string} token */
async function userinfo(issuer, token) {
  return (await fetch(`${issuer}/userinfo`, { headers: { authorization: `Bearer ${token}` } })).status;
}

/** The next window that the page opens. @param {Page} tab @returns {Promise<Page | null>} */
const nextPage = (tab) => new Promise((resolve) => tab.once("popup", resolve));

/** @param {() => unknown} isSo @param {string} what in words */
async function until(isSo, what) {
  for (const deadline = AbortSignal.timeout(30_000); !(await isSo()); ) {
    if (deadline.aborted) throw new Error(`there is no ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
