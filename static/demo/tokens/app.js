// Two ways to the next access token, one that stays with the browser's key, what revoking does, and how a sign-out elsewhere is
// noticed. Each card has a UserManager of its own, which keeps its tokens in memory only. A sign-in with a window keeps this
// page, and so its memory.

import { byId } from "../../shared/dom.js";
import { loadConfig } from "../lib/config.js";
import { decode } from "../lib/jwt.js";
import { clear, show } from "../lib/message.js";
import { judge, problemOf, Refused } from "../lib/problem.js";
import { settings } from "../spa/settings.js";
import { renew, tokens } from "./renewal.js";
import { Userinfo } from "./userinfo.js";

/** @typedef {import("oidc-client-ts").UserManager} UserManager */
/** @typedef {import("oidc-client-ts").User} User */
/** @typedef {typeof import("oidc-client-ts")} Library */

const config = await loadConfig();

/**
 * @param {Library} oidc
 * @param {Partial<import("oidc-client-ts").UserManagerSettings>} change of the app's settings
 */
function managerOf(oidc, change) {
  const userStore = new oidc.WebStorageStateStore({ store: new oidc.InMemoryWebStorage() });
  return new oidc.UserManager({
    ...settings(config),
    automaticSilentRenew: false,
    loadUserInfo: false,
    userStore,
    ...change,
  });
}

/** The end of a token: enough to see that it is another one. @param {string | undefined} token */
function tail(token) {
  return token ? `…\u2060${token.slice(-6)}` : "none";
}

/** The first way: each renewal is a request with the provider's cookie. @param {UserManager} manager */
async function byIframe(manager) {
  const { user, took, iframes } = await renew(manager);
  say("iframe-way", `Renewed in ${took} ms, by ${way(iframes)}. Access token ${tail(user.access_token)}.`, { iframes });
}

/** What a renewal was seen to do. @param {number} iframes that were added for it */
function way(iframes) {
  return iframes > 0 ? "an iframe and POST /token" : "POST /token alone";
}

/** The second: only the sign-in needs the cookie, and it brings the refresh token. @param {UserManager} manager */
async function byRefreshToken(manager) {
  const before = (await manager.getUser())?.refresh_token ?? (await tokens(manager, config.issuer)).refresh_token;
  if (!before) throw new Refused({ code: "no_refresh_token" });
  const { user, took, iframes } = await renew(manager);
  const replaced =
    user.refresh_token === before
      ? `The refresh token stays ${tail(before)}.`
      : `The refresh token was replaced too: ${tail(before)} is spent, ${tail(user.refresh_token)} is the next.`;
  const words = `Renewed in ${took} ms, by ${way(iframes)}. Access token ${tail(user.access_token)}. ${replaced}`;
  say("refresh-way", words, { iframes });
}

/** Signs in with a window of the provider, and keeps the refresh token of that sign-in. @param {UserManager} manager */
async function signIn(manager) {
  const user = await manager.signinPopup({ popupAbortOnClose: true });
  say(
    "refresh-way",
    `Signed in as ${user.profile.sub}. The sign-in brought refresh token ${tail(user.refresh_token)}.`,
  );
}

/** One after the other, the second also when the first fails: signed out, only the iframe does. @param {UserManager} iframe @param {UserManager} refresh */
async function bothWays(iframe, refresh) {
  const first = await failure("iframe-way", byIframe(iframe));
  const second = await failure("refresh-way", byRefreshToken(refresh));
  if (first || second) throw first ?? second;
}

/** What went wrong, if anything; the card says it in a word. @param {string} card @param {Promise<void>} act */
async function failure(card, act) {
  const failed = await act.then(
    () => undefined,
    (/** @type {unknown} */ error) => error,
  );
  if (failed) {
    const { reason, code } = problemOf(failed);
    say(card, `Failed: ${reason ?? code}`);
  }
  return failed;
}

/** Tokens bound to a key of the browser: a copy without the key is useless. @param {UserManager} manager @param {Userinfo} userinfo */
async function bind(manager, userinfo) {
  const user = await tokens(manager, config.issuer);
  const claims = decode(user.access_token)?.claims;
  const { jkt = "unknown" } = /** @type {{jkt?: string}} */ (claims?.cnf ?? {});
  const proof = await manager.dpopProof(userinfo.address, user);
  const [proven, copied] = [
    await userinfo.withProof(user.access_token, proof ?? ""),
    await userinfo.asBearer(user.access_token),
  ];
  say(
    "dpop",
    `The access token names the key: cnf.jkt is ${jkt}. With a proof by that key userinfo answers ${proven}. The token alone, as a thief would send it: ${copied}.`,
  );
}

/** @param {UserManager} manager @param {Userinfo} userinfo */
async function revoke(manager, userinfo) {
  const user = await tokens(manager, config.issuer);
  const before = await userinfo.asBearer(user.access_token);
  await manager.revokeTokens();
  const after = await userinfo.asBearer(user.access_token);
  say(
    "revoke",
    `Userinfo answered ${before} to the access token, and after POST /revoke ${after}. The refresh token is gone as well.`,
  );
}

/** Watches the session through check_session_iframe. @param {UserManager} manager */
async function watch(manager) {
  const { user } = await renew(manager);
  say("monitor", `Watching the session of ${user.profile.sub}, every two seconds, without a request.`);
  byId("monitor").dataset.state = "watching";
}

/** @param {UserManager} manager */
async function signedOut(manager) {
  say("monitor", "Signed out, noticed here. The iframe of the provider looks at its own cookie, and told this page.");
  byId("monitor").dataset.state = "signed-out";
  await manager.removeUser();
}

/** @param {string} card @param {string} words @param {{iframes?: number}} [seen] of which the words are made; tests read it */
function say(card, words, { iframes } = {}) {
  const said = byId(`${card}-said`);
  said.textContent = words;
  said.dataset.iframes = `${iframes ?? ""}`;
}

/**
 * What a button does, one thing at a time, and what is said when it fails.
 * @param {string} id
 * @param {() => Promise<void>} act
 */
function onClick(id, act) {
  const button = byId(id, HTMLButtonElement);
  button.addEventListener("click", async () => {
    button.disabled = true;
    clear(byId("message"));
    await act().catch(explain);
    button.disabled = false;
  });
}

/** @param {unknown} error */
async function explain(error) {
  const problem = await judge(problemOf(error), { issuer: config.issuer, wasSignedIn: true });
  show(byId("message"), problem, { app: location.origin, issuer: config.issuer });
}

/** @param {Library} oidc */
function start(oidc) {
  const offline = { scope: `${config.scope} offline_access` };
  const store = new oidc.IndexedDbDPoPStore(); // the key in it cannot be read, only used
  const [iframe, refresh, revocable] = [managerOf(oidc, {}), managerOf(oidc, offline), managerOf(oidc, offline)];
  const bound = managerOf(oidc, { dpop: { bind_authorization_code: true, store } });
  const monitor = managerOf(oidc, { monitorSession: true, checkSessionIntervalInSeconds: 2 });
  monitor.events.addUserSignedOut(() => signedOut(monitor));
  const userinfo = new Userinfo(config.issuer);
  onClick("sign-in", () => signIn(refresh));
  onClick("renew-both", () => bothWays(iframe, refresh));
  onClick("bind", () => bind(bound, userinfo));
  onClick("revoke", () => revoke(revocable, userinfo));
  onClick("watch", () => watch(monitor));
}

if (globalThis.oidc) start(globalThis.oidc);
else show(byId("message"), { code: "library_missing" }, { app: location.origin, issuer: config.issuer });
document.body.dataset.ready = "true";
