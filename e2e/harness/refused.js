// What the rows of reasons.test.js do to be refused, and what they read then.

import assert from "node:assert/strict";
import { demoClients, thirdParty } from "./clients.js";
import { recordsAt, stepsOf } from "./console.js";
import { clickLogin, says, signIn } from "./person.js";
import { askSilently, authorizeURL, inIframe, redeem } from "./request.js";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("./console.js").Console} Console */
/** @typedef {import("./hush.js").Hush} Hush */
/** @typedef {{ error?: string | null, error_description?: string | null, error_uri?: string | null }} Refusal what a client reads */

/** @typedef {{ hush: Hush, page: Page, console: Console, browser: import("puppeteer-core").Browser }} Scene */

/**
 * A reason, what happens, the endpoint that finds it, and the steps there, each once. What happens may return what the
 * client was answered.
 * @typedef {{ reason: string, when: string, at: string, steps: string[], cause: (scene: Scene) => Promise<Refusal | void> }} Row
 */

/** The provider that the rows need. */
export const config = {
  clients: [
    ...demoClients("90s"),
    thirdParty,
    { ...demoClients("30s")[0], client_id: "hasty", redirect_uris: ["http://localhost/spa/callback.html"] },
  ],
};

const verified = ["client ok", "redirect_uri ok"];
export const wellFormed = [...verified, "rule ok"];
export const absent = [...wellFormed, "session failed", "need failed", "error failed"];
export const needed = [...wellFormed, "session ok", "need ok", "need failed", "error failed"];
export const issued = [...wellFormed, "session ok", "need ok", "code ok"];

/** The answer, if there was one, and the console give the row's reason, and the console its steps. @param {Console} console @param {Row} row @param {Refusal} [refusal] */
export async function assertExplained(console, { reason, at, steps }, refusal) {
  if (refusal) assertNamed(refusal, reason, console.hush);
  const flow = await console.flowWith(reason);
  const found = recordsAt(flow, at).find((record) => record.reason === reason);
  assert.ok(found, `${at} has the reason; the flow has ${JSON.stringify(flow.records, null, 1)}`);
  assert.deepEqual(each(stepsOf(found)), steps);
}

/**
 * In development mode error_description ends with the reason and error_uri leads to its page.
 * @param {Refusal} refusal
 * @param {string} reason
 * @param {Hush} hush
 */
function assertNamed(refusal, reason, hush) {
  assert.ok(refusal.error_description?.endsWith(` [${reason}]`), JSON.stringify(refusal));
  assert.ok(refusal.error_uri?.startsWith("http://"), refusal.error_uri ?? "");
  const { pathname } = new URL(refusal.error_uri ?? "");
  assert.equal(pathname, new URL(`${hush.issuer}/reasons/${reason}`).pathname);
}

/** Steps that repeat are named once. @param {string[]} steps */
function each(steps) {
  return steps.filter((step, index) => step !== steps[index - 1]);
}

/** Asks with prompt=none in an iframe for what must be refused. @param {Page} page @param {Hush} hush @param {import("./request.js").Change} change */
export async function ask(page, hush, change) {
  const params = Object.fromEntries(await askSilently(page, hush, change));
  assert.ok(params.error, JSON.stringify(params));
  return params;
}

/**
 * Opens in a hidden iframe what can only end on a page. Returns what that page tells the page around it.
 * @param {Page} page
 * @param {string} address
 * @returns {Promise<Refusal>}
 */
export async function told(page, address) {
  await page.evaluate(() => {
    window.addEventListener("message", ({ origin, data }) => {
      if (data?.source === "hush") document.body.dataset.told = JSON.stringify({ origin, ...data });
    });
  });
  const response = await inIframe(page, address);
  assert.equal(response.status(), 400);
  await page.waitForSelector("body[data-told]");
  const { origin, ...refusal } = JSON.parse(await page.$eval("body", ({ dataset }) => dataset.told ?? ""));
  assert.equal(origin, new URL(address).origin);
  return refusal;
}

/**
 * Signs in with a request of our own, whose answer the app then refuses.
 * @param {Page} page
 * @param {Hush} hush
 * @param {import("./request.js").Change} change
 * @param {string} name
 */
export async function signInByHand(page, hush, change, name) {
  await page.goto(authorizeURL(hush, change));
  await clickLogin(page, name);
  await says(page, "invalid_state");
}

/** A code for somebody who signed in. @param {Page} page @param {Hush} hush @param {import("./request.js").Change} change */
export async function codeFor(page, hush, change) {
  await signIn(page, hush, "spa");
  const code = (await askSilently(page, hush, change)).get("code");
  assert.ok(code);
  return code;
}

/** Redeems a code in a way that must be refused. @param {Page} page @param {Hush} hush @param {import("./request.js").Change} change */
export async function exchange(page, hush, change) {
  const code = await codeFor(page, hush, {});
  return (await redeem(page, hush, { code, ...change })).json;
}

/**
 * Redeems a code twice. The console says how long after the first time that was, and whether the code_verifier is the same.
 * @param {Page} page
 * @param {Hush} hush
 * @param {Console} console
 * @param {import("./request.js").Change} change of the second time
 * @param {RegExp} words
 */
export async function replay(page, hush, console, change, words) {
  const code = await codeFor(page, hush, {});
  assert.equal((await redeem(page, hush, { code })).status, 200);
  const { json } = await redeem(page, hush, { code, ...change });
  const flow = await console.flowWith("code.replayed");
  const text = flow.reasons?.find((reason) => reason.code === "code.replayed")?.text ?? "";
  assert.match(text, words);
  assert.match(text, /\d ?m?s/);
  return json;
}

/** Sends an access token as a script does. @param {Page} page @param {string} address @param {string} token */
export async function useToken(page, address, token) {
  await page.evaluate(
    async (address, token) => void (await fetch(address, { headers: { Authorization: `Bearer ${token}` } })),
    address,
    token,
  );
}

/**
 * A script of the application sends PUT to the token endpoint, and its browser refuses that after the preflight.
 * @param {Page} page @param {Hush} hush
 */
export async function putToken(page, hush) {
  await page.goto(hush.app);
  const put = (/** @type {string} */ url) => fetch(url, { method: "PUT" }).then(() => "an answer", String);
  assert.match(await page.evaluate(put, `${hush.issuer}/token`), /Failed to fetch/);
}
