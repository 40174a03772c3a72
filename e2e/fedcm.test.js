// FedCM: the browser itself asks with which account to sign in to an app. Third-party cookies are blocked, and the
// browser sends the provider's cookie all the same. https://w3c-fedid.github.io/FedCM/

import assert from "node:assert/strict";
import { Dialogs, signInByFedCM } from "./harness/fedcm.js";
import { crossSite } from "./harness/hush.js";
import { clickLogin, signOutAtProvider } from "./harness/person.js";
import { redeem } from "./harness/request.js";
import { scenes } from "./harness/story.js";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("./harness/hush.js").Hush} Hush */
/** @typedef {import("./harness/story.js").Stage} Stage */

const club = {
  client_id: "club",
  client_name: "The Reading Club",
  policy_uri: "https://club.example.com/policy",
  tos_uri: "https://club.example.com/terms",
  token_endpoint_auth_method: "none",
  redirect_uris: ["http://app.localhost/spa/callback.html"],
};
const spa = {
  client_id: "spa",
  token_endpoint_auth_method: "none",
  first_party: true,
  redirect_uris: ["http://app.localhost/spa/callback.html"],
  post_logout_redirect_uris: ["http://app.localhost/spa/"],
};
const place = /** @type {const} */ ({ layout: crossSite, cookies: "blocked", config: { clients: [spa, club] } });

scenes("Sign-in by FedCM", place, (scene) => {
  scene("gives a code, which the app redeems as always", async (stage) => {
    const { page, dialogs } = await openApp(stage, "alice");
    const signIn = signInByFedCM(page, stage.hush);
    const dialog = await dialogs.choose("alice");
    assert.equal(dialog.dialogType, "AccountChooser");
    const { status, json } = await redeem(page, stage.hush, { code: (await signIn).token });
    assert.equal(status, 200, JSON.stringify(json));
    const claims = claimsOf(json.id_token);
    assert.equal(claims.sub, "alice");
    assert.equal(claims.nonce, "n-0S6_WzA2Mj");
  });

  scene("without a dialog works once in a quiet period", async (stage) => {
    const { page, dialogs } = await openApp(stage, "alice");
    const signIn = signInByFedCM(page, stage.hush);
    await dialogs.choose("alice");
    assert.ok((await signIn).token);
    const silent = /** @type {const} */ ({ mediation: "silent" });
    const again = await signInByFedCM(page, stage.hush, silent);
    assert.ok(again.token, JSON.stringify(again));
    assert.equal(again.automatic, true);
    const quiet = await signInByFedCM(page, stage.hush, silent);
    assert.equal(quiet.token, undefined);
    assert.equal(quiet.name, "NetworkError", JSON.stringify(quiet));
  });

  scene("offers each account that is signed in with the browser", async (stage) => {
    const { page, dialogs } = await openApp(stage, "alice", "bob");
    const signIn = signInByFedCM(page, stage.hush);
    const dialog = await dialogs.choose("bob");
    assert.deepEqual(dialog.accounts.map((account) => account.accountId).sort(), ["alice", "bob"]);
    const { json } = await redeem(page, stage.hush, { code: (await signIn).token });
    assert.equal(claimsOf(json.id_token).sub, "bob");
  });

  scene("offers only the accounts that loginHint or domainHint name", async (stage) => {
    const { page, dialogs } = await openApp(stage, "alice", "bob");
    for (const provider of [{ loginHint: "alice@example.com" }, { loginHint: "alice", domainHint: "example.com" }]) {
      const signIn = signInByFedCM(page, stage.hush, { provider });
      const dialog = await dialogs.choose("alice");
      assert.deepEqual(
        dialog.accounts.map((account) => account.accountId),
        ["alice"],
      );
      assert.ok((await signIn).token);
    }
  });

  scene("tells the app why the provider refused", async (stage) => {
    const { page, dialogs } = await openApp(stage, "alice");
    const signIn = signInByFedCM(page, stage.hush, { params: { code_challenge: undefined } });
    await dialogs.choose("alice");
    await dialogs.press("ErrorGotIt");
    const refused = await signIn;
    assert.equal(refused.name, "IdentityCredentialError");
    assert.equal(refused.error, "invalid_request");
    assert.match(refused.url ?? "", /\/reasons\/pkce\.missing$/);
  });

  scene("ends at once when the person closes the dialog", async (stage) => {
    const { page, dialogs } = await openApp(stage, "alice");
    const signIn = signInByFedCM(page, stage.hush);
    await dialogs.dismiss();
    const ended = await signIn;
    assert.equal(ended.token, undefined);
    assert.equal(ended.name, "NetworkError", JSON.stringify(ended));
  });

  scene("ends at once after a sign-out at the provider", async (stage) => {
    const { page } = await openApp(stage, "alice");
    await signOutAtProvider(page, stage.hush);
    await page.goto(`${stage.hush.app}/spa/`);
    const ended = await signInByFedCM(page, stage.hush);
    assert.equal(ended.token, undefined);
    assert.equal(ended.name, "NetworkError", JSON.stringify(ended));
  });

  scene("opens the sign-in page where nobody is signed in any more", async (stage) => {
    const { page, dialogs } = await openApp(stage, "alice");
    await stage.browser.deleteCookie(...(await stage.browser.cookies())); // the browser still takes alice for signed in
    const signIn = signInByFedCM(page, stage.hush);
    const opened = popUp(stage);
    await dialogs.press("ConfirmIdpLoginContinue");
    await clickLogin(await opened, "alice");
    await dialogs.choose("alice");
    assert.ok((await signIn).token);
  });

  scene("shows the policies of an app that is new to the person, and asks for consent in a window", async (stage) => {
    const { page, dialogs } = await openApp(stage, "alice");
    const asked = { clientId: "club" };
    const denied = signInByFedCM(page, stage.hush, asked);
    let opened = popUp(stage);
    const dialog = await dialogs.choose("alice");
    assert.equal(dialog.accounts[0]?.privacyPolicyUrl, club.policy_uri);
    assert.equal(dialog.accounts[0]?.termsOfServiceUrl, club.tos_uri);
    await press(await opened, "#consent-deny");
    assert.equal((await denied).token, undefined);

    const allowed = signInByFedCM(page, stage.hush, asked);
    opened = popUp(stage);
    await dialogs.choose("alice");
    await press(await opened, "#consent-allow");
    const { status } = await redeem(page, stage.hush, { code: (await allowed).token, client_id: "club" });
    assert.equal(status, 200);
  });

  scene("ends for an app that disconnects: tokens are revoked, and the person is new to the app", async (stage) => {
    const { page, dialogs } = await openApp(stage, "alice");
    const signIn = signInByFedCM(page, stage.hush);
    await dialogs.choose("alice");
    const { json } = await redeem(page, stage.hush, { code: (await signIn).token });
    assert.equal(await userinfo(page, stage.hush, json.access_token), 200);
    assert.equal(await disconnect(page, stage.hush, "alice"), "disconnected");
    assert.equal(await userinfo(page, stage.hush, json.access_token), 401);
    const again = signInByFedCM(page, stage.hush);
    const dialog = await dialogs.choose("alice");
    assert.equal(dialog.accounts[0]?.loginState, "SignUp");
    assert.ok((await again).token);
  });
});

/**
 * Signs people in at the provider and opens the app, which knows none of them.
 * @param {Stage} stage
 * @param {...string} names
 */
async function openApp({ hush, newTab }, ...names) {
  const { page } = await newTab();
  for (const name of names) {
    await page.goto(`${hush.issuer}/login`);
    await clickLogin(page, name);
    await page.waitForFunction((home) => location.href === home, {}, `${hush.issuer}/`);
  }
  await page.goto(`${hush.app}/spa/`);
  return { page, dialogs: await Dialogs.of(page) };
}

/**
 * The next window that the browser opens for the provider. A window that closes just now is still in the list of all.
 * @param {Stage} stage
 * @returns {Promise<Page>}
 */
async function popUp({ hush, browser }) {
  const before = new Set(browser.targets());
  const isNew = (/** @type {import("puppeteer-core").Target} */ target) =>
    target.type() === "page" && !before.has(target) && target.url().startsWith(`${hush.issuer}/`);
  const target = await browser.waitForTarget(isNew);
  return /** @type {Page} */ (await target.page());
}

/** @param {Page} page @param {string} selector */
async function press(page, selector) {
  await page.waitForSelector(selector);
  await page.click(selector);
}

/** @param {Page} page @param {Hush} hush @param {string} [token] */
function userinfo(page, hush, token) {
  const headers = { authorization: `Bearer ${token}` };
  return page.evaluate(
    async (url, headers) => (await fetch(url, { headers })).status,
    `${hush.issuer}/userinfo`,
    headers,
  );
}

/** @param {Page} page @param {Hush} hush @param {string} accountHint */
function disconnect(page, hush, accountHint) {
  return page.evaluate(
    async (options) => {
      try {
        await /** @type {any} */ (window).IdentityCredential.disconnect(options);
        return "disconnected";
      } catch (failure) {
        return String(failure);
      }
    },
    { configURL: `${hush.issuer}/fedcm/config.json`, clientId: "spa", accountHint },
  );
}

/** The claims of a JWT. @param {string} [token] */
function claimsOf(token = "") {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}
