// WebKitGTK with Intelligent Tracking Prevention: what is possible there. docs/blocked-cookies.md has these results as a table.
// Safari is another browser, so nothing follows for it.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { crossSite, layouts, sameSite, startHush } from "./harness/hush.js";
import { startSecureHush } from "./harness/secure.js";
import { missing, openWebKit } from "./harness/webkit.js";

/** @typedef {import("./harness/webkit.js").Window} Window */
/** @typedef {{ app: string, output: () => string }} Place */

/** @type {import("./harness/webkit.js").WebKit} */
let webkit;
before(async () => {
  if (!missing) webkit = await openWebKit();
});
after(() => webkit?.close());

describe("WebKitGTK by http", { skip: missing }, () => {
  /** @type {import("./harness/hush.js").Hush} */
  let hush;
  before(async () => {
    hush = await startHush(sameSite);
  });
  after(() => hush?.stop());

  for (const layout of layouts.filter((layout) => layout !== crossSite)) {
    scene(
      `one site, ${layout.name}: the hidden iframe renews`,
      () => hush.at(layout),
      async (window) => {
        await window.click("#renew");
        assert.equal((await settled(window)).code, "renewed");
      },
    );
  }

  // WebKit keeps no Secure cookie over http, so the provider's second cookie is the only one: SameSite=Lax.
  const across = () => hush.at(crossSite);
  scene("two sites: the reason is cookie.samesite, and a refresh token is next and works", across, async (window) => {
    await withheld(window, "cookie.samesite");
    assert.match(await recommended(window, "refresh_token"), /no FedCM.*ask cannot help: the cookie is SameSite=Lax/);
    await renewsByToken(window);
  });

  scene("two sites: a redirect of the whole page comes back with tokens", across, renewsByRedirect);
});

describe("WebKitGTK by https, two sites", { skip: missing }, () => {
  /** @type {import("./harness/secure.js").SecureHush} */
  let hush;
  before(async () => {
    hush = await startSecureHush(crossSite);
  });
  after(() => hush?.stop());
  const here = () => hush;

  scene("the bridge is denied, and to ask is next", here, async (window) => {
    await withheld(window, "cookie.access_denied");
    assert.match(await recommended(window, "ask"), /no FedCM/);
  });

  scene(
    "the person allows it: that frame has access, later ones have not; a refresh token works",
    here,
    async (window) => {
      await ask(window);
      await window.answer("Yes", () => told(window));
      assert.equal((await settled(window)).code, "granted_in_vain");
      assert.match(
        await recommended(window, "refresh_token"),
        /ask was granted, but a later hidden iframe got no cookie/,
      );
      await renewsByToken(window);
    },
  );

  scene("the person refuses it: the page says so, and a refresh token is next", here, async (window) => {
    await ask(window);
    await window.answer("No", () => told(window));
    assert.equal((await settled(window)).code, "ask_refused");
    assert.match(await recommended(window, "refresh_token"), /ask was answered with denied/);
  });

  scene("a redirect of the whole page comes back with tokens", here, renewsByRedirect);
});

/**
 * Defines a test in a new window, in which alice is signed in to the single-page app.
 * @param {string} sentence
 * @param {() => Place} place
 * @param {(window: Window) => Promise<void>} tell
 */
function scene(sentence, place, tell) {
  test(sentence, async () => {
    const window = await webkit.newWindow();
    try {
      await signIn(window, place().app);
      await tell(window);
    } catch (error) {
      console.error(`=== ${sentence}\n${await window.words()}\n${place().output()}`);
      throw error;
    } finally {
      await window.close();
    }
  });
}

/** @param {Window} window @param {string} app */
async function signIn(window, app) {
  await window.goto(`${app}/spa/`);
  await window.until("document.body.dataset.ready === 'true'");
  await window.click("#sign-in");
  await window.click("#login-as-alice");
  await window.until("document.body.dataset.ready === 'true' && document.body.dataset.signedIn === 'true'");
}

/** Waits for a message of the app. @param {Window} window @returns {Promise<{ code: string, error: string, words: string }>} */
async function settled(window) {
  await told(window, true);
  return window.evaluate(`const { dataset, textContent } = document.querySelector("#message");
    return { code: dataset.code, error: dataset.error, words: textContent };`);
}

/** Whether the app has a message. @param {Window} window @param {boolean} [waits] until it has */
function told(window, waits = false) {
  const expression = "Boolean(document.querySelector('#message')?.dataset.code)";
  return waits ? window.until(expression) : window.evaluate(`return ${expression}`);
}

/** Renews in vain, for this reason. @param {Window} window @param {string} reason */
async function withheld(window, reason) {
  await window.click("#renew");
  const { error, words } = await settled(window);
  assert.equal(error, "login_required", `the provider's answer ended the wait, not the client's timer: ${words}`);
  assert.ok(words.includes(reason), words);
}

/** Waits until the card recommends this step, and returns why. @param {Window} window @param {string} rung @returns {Promise<string>} */
async function recommended(window, rung) {
  await window.until(`document.querySelector("#ladder-why[data-rung=${rung}]") !== null`);
  return window.evaluate("return document.querySelector('#ladder-why').textContent");
}

/** Shows the provider's page that asks, and presses its button. @param {Window} window */
async function ask(window) {
  await window.click("#ladder-ask");
  await window.enterFrame("#ladder-frame iframe");
  await window.click("#storage-ask");
  await window.leaveFrame();
}

/** @param {Window} window */
async function renewsByToken(window) {
  await window.click("#ladder-refresh_token");
  await window.until("document.querySelector('#message').dataset.code === 'renewed_by_token'");
}

/** @param {Window} window */
async function renewsByRedirect(window) {
  await window.click("#ladder-redirect");
  assert.match(await recommended(window, "redirect"), /came back with new tokens/);
}
