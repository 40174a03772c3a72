// One renewal by oidc-client-ts, and by which way it went. The library does not tell, so this file watches for the iframe.

import { judge, problemOf } from "../lib/problem.js";

/**
 * @typedef {import("oidc-client-ts").UserManager} UserManager
 * @typedef {import("oidc-client-ts").User} User
 * @typedef {{user: User, took: number, iframes: number}} Renewal took: milliseconds; iframes: how many the library added
 */

/** Renews by whatever the manager has: its refresh token, or else the hidden iframe. @param {UserManager} manager @returns {Promise<Renewal>} */
export async function renew(manager) {
  let iframes = 0;
  const count = (/** @type {MutationRecord[]} */ records) => {
    const added = records.flatMap((record) => [...record.addedNodes]);
    iframes += added.filter((node) => node instanceof HTMLIFrameElement).length;
  };
  const observer = new MutationObserver(count);
  observer.observe(document.body, { childList: true });
  const start = performance.now();
  try {
    const user = await manager.signinSilent();
    if (!user) throw new Error("oidc-client-ts gave no user");
    count(observer.takeRecords());
    return { user, took: Math.round(performance.now() - start), iframes };
  } finally {
    observer.disconnect();
  }
}

/**
 * Tokens for whoever is signed in at the provider. Where the browser withholds the provider's cookie from the iframe, a
 * window of the provider's own gets it: the user sees it for a moment, or signs in there.
 *
 * @param {UserManager} manager
 * @param {string} issuer
 * @returns {Promise<User>}
 */
export async function tokens(manager, issuer) {
  try {
    return (await renew(manager)).user;
  } catch (error) {
    const { code } = await judge(problemOf(error), { issuer, wasSignedIn: true });
    if (code !== "cookie_withheld") throw error;
    return manager.signinPopup({ popupAbortOnClose: true });
  }
}
