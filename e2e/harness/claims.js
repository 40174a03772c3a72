// What a page says about the network, compared with what the browser sent.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("./network.js").Sent} Sent */

/** One message of a diagram. @typedef {{ from: string, to: string, state: string, request: string, text: string }} Claim */

/** How long a page may take to show what happened, in milliseconds. */
const patience = 10_000;

/** The messages of a diagram. A message that the page only expects claims nothing. @param {Page} page @param {string} diagram @returns {Promise<Claim[]>} */
export async function claimsOf(page, diagram) {
  const all = await page.$$eval(`${diagram} ol.diagram > li`, (items) =>
    items.map((item) => {
      const { from = "", to = "", state = "", request = "" } = item.dataset;
      return { from, to, state, request, text: item.querySelector(".text")?.textContent ?? "" };
    }),
  );
  return all.filter(({ state }) => state !== "waiting");
}

/** Waits until what the page says is what was sent. @param {() => Promise<void>} compare throws while it is not */
export async function comesTrue(compare) {
  const end = Date.now() + patience;
  for (;;) {
    try {
      return await compare();
    } catch (error) {
      if (Date.now() > end) throw error;
      await pause(100);
    }
  }
}

/**
 * The diagram has the requests that were sent and no others, with their parameters, cookies and answers.
 * @param {Claim[]} all
 * @param {Sent[]} sent
 * @param {{ answers?: boolean }} [how] answers: it shows the answer to each request; false: it follows one of two renewals
 */
export function assertTrue(all, sent, { answers = true } = {}) {
  const claims = all.filter(({ from }) => from !== "server"); // what the app's server sends is no matter of the browser
  const claimed = claims.map(({ request }) => request).filter((request) => request !== "");
  assert.deepEqual(claimed.sort(), sent.map(({ request }) => request).sort(), "the requests that the page shows");
  if (answers) assertAnswers(claims, sent);
  const words = claims.map(({ text }) => text).join("\n");
  assertOutcomes(words, sent);
  for (const one of sent) {
    const told = claims.filter(({ request }) => request === one.request).map(({ text }) => text);
    for (const text of told) assertNames(one, /: (.*)/.exec(text)?.[1]?.split(", ") ?? []);
    if (one.request === "GET /api/me") assertCall(one, told, words);
  }
}

/** The provider's answers have the status that came; the browser gives none that it keeps from the app. @param {Claim[]} claims @param {Sent[]} sent */
function assertAnswers(claims, sent) {
  const shown = claims.filter(({ from, to }) => from === "provider" && to !== "server").map(({ text }) => text);
  const statuses = shown.map((text) => (text.includes("keeps it from the app") ? 0 : Number.parseInt(text, 10)));
  const came = sent.filter(({ request }) => /authorize|token|userinfo/.test(request)).map(({ status }) => status);
  assert.deepEqual(statuses.sort(), came.sort(), "the answers that the page shows");
}

/** What a message names was in the request. @param {Sent} one @param {string[]} names */
function assertNames({ request, params, bearer, cookie }, names) {
  for (const name of names) {
    const [key = "", value] = name.split("=");
    if (key === "access_token") assert.ok(bearer, `${request} carried an access token`);
    else if (key.includes("session cookie"))
      assert.equal(cookie ?? !key.startsWith("no "), !key.startsWith("no "), name);
    else if (value) assert.equal(params.get(key), value, `${request} has ${name}`);
    else assert.ok(params.has(key), `${request} has ${name}`);
  }
}

/** Each code and each error that the page shows came, and each that came is shown. @param {string} words @param {Sent[]} sent */
function assertOutcomes(words, sent) {
  const of = (/** @type {string} */ name) => sent.flatMap(({ location }) => location.get(name) ?? []);
  const shown = [...words.matchAll(/code=([A-Z0-9]+)…/g)].map(([, start = ""]) => start);
  for (const start of shown)
    assert.ok(
      of("code").some((code) => code.startsWith(start)),
      `no code begins ${start}`,
    );
  assert.equal(/redirect_uri: code/.test(words), of("code").length > 0, words);
  const errors = new Set([...words.matchAll(/error=(\w+)/g)].map(([, error]) => error));
  assert.deepEqual([...errors], of("error"), words);
}

/** @param {Sent} call @param {string[]} told @param {string} words */
function assertCall({ bearer, status }, told, words) {
  assert.ok(
    told.every((text) => text.includes(bearer ? "with the access token" : "without a token")),
    words,
  );
  assert.ok(words.includes(`The API answered ${status}`), words);
}
