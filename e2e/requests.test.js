// What a silent renewal loads: nothing beyond what the protocol and the demo's own report need.

import assert from "node:assert/strict";
import { sameSite } from "./harness/hush.js";
import { renew, signIn } from "./harness/person.js";
import { story } from "./harness/story.js";

/** @typedef {import("puppeteer-core").Page} Page */

/** The paths below are those of an issuer that is an origin. */
const place = /** @type {const} */ ({ layout: { ...sameSite, path: "" }, cookies: "allowed" });

const expected = {
  spa: {
    frame: ["GET /authorize", "GET /spa/callback.html"],
    page: ["POST /token", "GET /api/me", "POST /console/reports", "POST /console/reports"],
  },
  web: {
    frame: ["GET /web/silent", "GET /authorize", "GET /web/silent-callback", "POST /web/silent/finish"],
    page: ["GET /web/session", "GET /web/call-api", "POST /console/reports", "POST /console/reports"],
  },
};

for (const half of /** @type {const} */ (["spa", "web"])) {
  story(`${half}: a renewal makes these requests and no other`, place, async ({ hush, newTab }) => {
    const { page } = await newTab();
    await signIn(page, hush, half);
    await page.click("#automatic"); // off: a slow machine would see more renewals
    await renewAndReport(page); // the first one asks for the discovery document
    const requests = record(page);
    await renewAndReport(page);
    assert.deepEqual(requests.frame.map(nameOf), expected[half].frame);
    assert.deepEqual(requests.page.map(nameOf).toSorted(), expected[half].page.toSorted());
  });
}

story(
  "spa: a renewal takes one navigation, and nothing is drawn or reported before it is over",
  place,
  async ({ hush, newTab }) => {
    const { page } = await newTab();
    await signIn(page, hush, "spa");
    await page.click("#automatic");
    await renewAndReport(page);
    await page.evaluate(isDrawn);
    const frames = /** @type {string[]} */ ([]);
    page.on("framenavigated", (frame) => frame !== page.mainFrame() && frames.push(new URL(frame.url()).pathname));
    const requests = record(page);
    assert.deepEqual(await page.evaluate(renewal), { added: ["IFRAME"], written: [] });
    assert.deepEqual(requests.page.map(nameOf), ["POST /token"]);
    assert.deepEqual(frames, ["/spa/callback.html"]);
  },
);

/** Waits until the timeline was not changed for a second: the page may draw a renewal later than it reports it. */
async function isDrawn() {
  await new Promise((resolve) => {
    let waiting = setTimeout(resolve, 1000);
    new MutationObserver((records) => {
      const counts = (/** @type {Node} */ target) =>
        Boolean(/** @type {Element} */ (target).closest?.("#timeline, #timeline-reason"));
      if (!records.some(({ target }) => counts(target))) return;
      clearTimeout(waiting);
      waiting = setTimeout(resolve, 1000);
    }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  });
}

/** Presses the button, and returns what changed in the page until signinSilent() ended. */
async function renewal() {
  const { prototype } = /** @type {typeof import("oidc-client-ts")} */ (globalThis.oidc).UserManager;
  const { signinSilent } = prototype;
  const records = /** @type {MutationRecord[]} */ ([]);
  const observer = new MutationObserver((more) => records.push(...more));
  const { setTimeout } = window;
  // The demo draws more when a renewal takes long. A slow machine must not cause that here, so timers are delayed.
  window.setTimeout = /** @type {any} */ (
    (/** @type {() => void} */ act, after = 0) => setTimeout(act, after && 60_000)
  );
  await new Promise((resolve, reject) => {
    prototype.signinSilent = async function (...args) {
      prototype.signinSilent = signinSilent;
      observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
      const user = signinSilent.apply(this, args);
      user.then(resolve, reject);
      return await user;
    };
    document.getElementById("renew")?.click();
  });
  records.push(...observer.takeRecords());
  observer.disconnect();
  window.setTimeout = setTimeout;
  const inBody = records.filter(({ target }) => target === document.body);
  const nameOf = (/** @type {Node} */ node) => node.nodeName;
  return {
    added: inBody.flatMap(({ addedNodes }) => [...addedNodes]).map(nameOf),
    written: records
      .map(({ target }) => /** @type {Element} */ (target))
      .filter((target) => target !== document.body && !target.closest?.("#countdown, #countdown-bar"))
      .map(({ id, nodeName }) => `${nodeName} ${id}`),
  };
}

/** @param {Page} page */
function record(page) {
  const frame = /** @type {import("puppeteer-core").HTTPRequest[]} */ ([]);
  const own = /** @type {import("puppeteer-core").HTTPRequest[]} */ ([]);
  page.on("request", (request) => {
    if (request.resourceType() === "preflight") return; // the browser may remember the answer, or ask again
    if (request.frame() === page.mainFrame()) own.push(request);
    else frame.push(request);
  });
  return { frame, page: own };
}

/** Renews and waits for both reports of the renewal, which the page sends after it. @param {Page} page */
async function renewAndReport(page) {
  let left = 2;
  const isLast = (/** @type {import("puppeteer-core").HTTPResponse} */ answer) =>
    nameOf(answer.request()) === "POST /console/reports" && --left === 0;
  await Promise.all([page.waitForResponse(isLast), renew(page)]);
}

/** @param {import("puppeteer-core").HTTPRequest} request */
function nameOf(request) {
  return `${request.method()} ${new URL(request.url()).pathname}`;
}
