// Measures a silent renewal in Chromium: signinSilent() of the demo's single-page app, beside the least that a browser
// must do for one. Both happen in turn in one page, so that noise hits both alike:
//
//   renewal   the button of the demo: oidc-client-ts, the provider in development mode, everything that the demo shows
//   baseline  an iframe whose address answers 303 to a static page, which posts a message to this page; then one fetch
//
//   make build && node scripts/bench-silent.js [--renewals 30] [--page docs/performance.md]
//
// prints two tables. With --page it writes them between the marks of that page instead.

import { createServer } from "node:http";
import { setTimeout as rest } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openChromium } from "../e2e/harness/browser.js";
import { crossSite, sameSite, startHush } from "../e2e/harness/hush.js";
import { says, signIn } from "../e2e/harness/person.js";
import { inWords, writeBetweenMarks } from "./bench-tables.js";

/** @typedef {import("./bench-tables.js").Measured} Measured */

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1)); // ends the programs too

/** Renewals before those that count: modules are compiled and connections are open. */
const warmUp = 3;

/** Milliseconds to wait after each, because the demo still draws, reports, and animates its diagram. */
const pause = 700;

/** The page in the bare iframe. */
const staticPage = "<!doctype html><title>Static</title><script>parent.postMessage('here', '*')</script>";

const { values } = parseArgs({
  options: { renewals: { type: "string", default: "30" }, page: { type: "string" } },
});

const measured = [];
for (const layout of [sameSite, crossSite]) measured.push(await compare(layout, Number(values.renewals)));
const text = inWords(measured);
if (values.page) await writeBetweenMarks(values.page, text);
else console.log(Object.values(text).join("\n"));

/** @param {import("../e2e/harness/hush.js").Layout} layout @param {number} count @returns {Promise<Measured>} */
async function compare(layout, count) {
  const bare = await serveBare(layout);
  const hush = await startHush(layout);
  const { browser, close } = await openChromium("allowed");
  try {
    const page = await browser.newPage();
    await page.setBypassCSP(true); // the demo's policy allows frames of the provider only
    await signIn(page, hush, "spa");
    await page.click("#automatic"); // off: no renewal but ours
    await page.evaluate(keepTimes);
    const renewals = [];
    const baselines = [];
    for (let i = 0; i < warmUp + count; i++) {
      renewals.push(await page.evaluate(renewal));
      await says(page, "renewed");
      await rest(pause);
      baselines.push(await page.evaluate(baseline, bare.address));
      await rest(pause);
    }
    const chromium = await browser.version();
    return { layout: layout.name, chromium, renewals: renewals.slice(warmUp), baselines: baselines.slice(warmUp) };
  } finally {
    await close();
    await hush.stop();
    bare.server.close();
  }
}

/**
 * A server that knows three answers: /start redirects to /static at the host of the app, and /fetch is JSON.
 * @param {import("../e2e/harness/hush.js").Layout} layout
 */
async function serveBare({ app, idp }) {
  const server = createServer((request, answer) => {
    if (request.url === "/start") answer.writeHead(303, { location: `http://${app}:${port}/static` }).end();
    else if (request.url === "/static") answer.setHeader("content-type", "text/html").end(staticPage);
    else answer.setHeader("content-type", "application/json").setHeader("access-control-allow-origin", "*").end("{}");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { server, address: `http://${idp}:${port}` };
}

/** Makes the page note the time of the last iframe that was added to it, and of the last message. */
function keepTimes() {
  const times = { iframe: 0, message: 0 };
  Object.assign(globalThis, { times });
  new MutationObserver((records) => {
    const added = records.flatMap((record) => [...record.addedNodes]);
    if (added.some((node) => node instanceof HTMLIFrameElement)) times.iframe = performance.now();
  }).observe(document.body, { childList: true, subtree: true });
  window.addEventListener("message", () => {
    times.message = performance.now();
  });
}

/** Presses the button of the demo. Gives how long signinSilent() of oidc-client-ts took, in milliseconds. */
function renewal() {
  const { prototype } = /** @type {typeof import("oidc-client-ts")} */ (globalThis.oidc).UserManager;
  const { signinSilent } = prototype;
  const took = new Promise((resolve, reject) => {
    prototype.signinSilent = async function (...args) {
      prototype.signinSilent = signinSilent;
      const start = performance.now();
      const user = signinSilent.apply(this, args);
      const over = () => {
        const end = performance.now();
        const { iframe, message } = /** @type {any} */ (globalThis).times;
        resolve({ all: end - start, before: iframe - start, iframe: message - iframe, after: end - message });
      };
      user.then(over, reject);
      return await user;
    };
  });
  document.getElementById("renew")?.click();
  return /** @type {Promise<import("./bench-tables.js").Times>} */ (took);
}

/** Gives the milliseconds of the least that a renewal needs. @param {string} address */
async function baseline(address) {
  const start = performance.now();
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.src = `${address}/start`;
  const over = new AbortController();
  const heard = new Promise((resolve) => {
    const hear = (/** @type {MessageEvent} */ { source }) => source === frame.contentWindow && resolve(source);
    window.addEventListener("message", hear, { signal: over.signal });
  });
  document.querySelector("main")?.append(frame); // not to the body: the demo would take it for the iframe of a renewal
  await heard;
  over.abort();
  frame.remove();
  await (await fetch(`${address}/fetch`)).json();
  const end = performance.now();
  const { iframe, message } = /** @type {any} */ (globalThis).times;
  return { all: end - start, before: iframe - start, iframe: message - iframe, after: end - message };
}
