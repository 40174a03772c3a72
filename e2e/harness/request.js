// Authorization and token requests made by hand, for what no well-behaved client would send.

import assert from "node:assert/strict";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("./hush.js").Hush} Hush */
/** @typedef {{ [name: string]: string | undefined }} Change parameters that differ from a good request; undefined: left out */

/** code_verifier and code_challenge of RFC 7636 appendix B. */
export const pkce = {
  verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
  challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
};

export const state = "s".repeat(128);

/** A good request with prompt=none of the single-page app, but for the change. @param {Hush} hush @param {Change} change */
export function authorizeURL(hush, change) {
  const request = {
    response_type: "code",
    client_id: "spa",
    redirect_uri: `${hush.app}/spa/callback.html`,
    scope: "openid",
    prompt: "none",
    state,
    code_challenge: pkce.challenge,
    code_challenge_method: "S256",
    ...change,
  };
  return `${hush.issuer}/authorize?${new URLSearchParams(given(request))}`;
}

/**
 * Opens an address of the provider in a hidden iframe of the page.
 * @param {Page} page
 * @param {string} address
 */
export async function inIframe(page, address) {
  const answered = page.waitForResponse((response) => response.url() === address);
  await page.evaluate((src) => document.body.append(Object.assign(document.createElement("iframe"), { src })), address);
  return answered;
}

/**
 * Opens a request in a hidden iframe. Returns the parameters of the redirect that answers it, which may come after the
 * page that asks the browser for the cookie.
 * @param {Page} page
 * @param {Hush} hush
 * @param {Change} change
 */
export async function askSilently(page, hush, change) {
  const address = authorizeURL(hush, change);
  const answered = page.waitForResponse(
    (response) => response.url().startsWith(`${hush.issuer}/authorize?`) && response.status() >= 300,
  );
  await inIframe(page, address);
  const response = await answered;
  assert.equal(response.status(), 303);
  const location = new URL(response.headers().location ?? "", address);
  assert.equal(location.origin + location.pathname, change.redirect_uri ?? `${hush.app}/spa/callback.html`);
  return location.searchParams;
}

/**
 * A script of the page redeems a code. Returns the status and the JSON of the answer.
 * @param {Page} page
 * @param {Hush} hush
 * @param {Change} change
 * @returns {Promise<{ status: number, json: { [member: string]: string } }>}
 */
export function redeem(page, hush, change) {
  const form = given({
    grant_type: "authorization_code",
    client_id: "spa",
    redirect_uri: `${hush.app}/spa/callback.html`,
    code_verifier: pkce.verifier,
    ...change,
  });
  return page.evaluate(
    async (address, body) => {
      const answer = await fetch(address, { method: "POST", body: new URLSearchParams(body) });
      return { status: answer.status, json: await answer.json() };
    },
    `${hush.issuer}/token`,
    form,
  );
}

/** @param {Change} change @returns {[string, string][]} */
function given(change) {
  return Object.entries(change).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}
