// Measures a silent renewal in Chromium: signinSilent() of the demo's single-page app, beside the least that a browser
// must do for one. Both happen in turn in one page, so that noise hits both alike:
//
//   renewal   the button of the demo: oidc-client-ts, the provider in development mode, everything that the demo shows
//   baseline  an iframe whose document answers 303 to a static page, which tells this page; then one fetch
//
//   node scripts/bench-silent.js [--renewals 40]        after make build; prints medians in milliseconds, and the ratio

import { createServer } from "node:http";
import { setTimeout as rest } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openChromium } from "../e2e/harness/browser.js";
import { crossSite, sameSite, startHush } from "../e2e/harness/hush.js";
import { says, signIn } from "../e2e/harness/person.js";

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1)); // ends the programs too

/** Renewals before those that count: modules are compiled and connections are open. */
const warmUp = 3;

/** After each, in milliseconds: for what the demo still draws and reports. */
const pause = 200;

/** The page in the bare iframe. */
const staticPage = "<!doctype html><title>Static</title><script>parent.postMessage('here', '*')</script>";

const { values } = parseArgs({ options: { renewals: { type: "string", default: "40" } } });

for (const layout of [sameSite, crossSite]) await compare(layout, Number(values.renewals));

/** @param {import("../e2e/harness/hush.js").Layout} layout @param {number} count */
async function compare(layout, count) {
  const bare = await serveBare(layout);
  const hush = await startHush(layout);
  const { browser, close } = await openChromium("allowed");
  try {
    const page = await browser.newPage();
    await page.setBypassCSP(true); // the demo's policy allows frames of the provider only
    await signIn(page, hush, "spa");
    const renewals = [];
    const baselines = [];
    for (let i = 0; i < warmUp + count; i++) {
      renewals.push(await page.evaluate(renewal));
      await says(page, "renewed");
      await rest(pause);
      baselines.push(await page.evaluate(baseline, bare.address));
      await rest(pause);
    }
    report(layout, { renewals: renewals.slice(warmUp), baselines: baselines.slice(warmUp) });
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

/** Presses the button of the demo. Gives how long signinSilent() of oidc-client-ts took, in milliseconds. */
function renewal() {
  const { prototype } = /** @type {typeof import("oidc-client-ts")} */ (globalThis.oidc).UserManager;
  const { signinSilent } = prototype;
  const took = new Promise((resolve, reject) => {
    prototype.signinSilent = async function (...args) {
      prototype.signinSilent = signinSilent;
      const start = performance.now();
      const user = signinSilent.apply(this, args);
      user.then(() => resolve(performance.now() - start), reject);
      return await user;
    };
  });
  document.getElementById("renew")?.click();
  return /** @type {Promise<number>} */ (took);
}

/** Gives the milliseconds of the least that a renewal needs. @param {string} address */
async function baseline(address) {
  const start = performance.now();
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.src = `${address}/start`;
  document.querySelector("main")?.append(frame); // what is added to the body, the demo takes for a renewal
  await new Promise((resolve) => {
    addEventListener("message", (event) => event.source === frame.contentWindow && resolve(event.data));
  });
  frame.remove();
  await (await fetch(`${address}/fetch`)).json();
  return performance.now() - start;
}

/**
 * @param {import("../e2e/harness/hush.js").Layout} layout
 * @param {{ renewals: number[], baselines: number[] }} measured
 */
function report(layout, { renewals, baselines }) {
  console.log(layout.name);
  const ratio = median(renewals) / median(baselines);
  console.log(`  signinSilent()                 ${inWords(renewals)}`);
  console.log(`  iframe with a 303, one fetch   ${inWords(baselines)}`);
  console.log(`  ratio of the medians           ${ratio.toFixed(2)}, of ${renewals.length} each`);
}

/** @param {number[]} times */
function inWords(times) {
  const [low, middle, high] = [0.05, 0.5, 0.95].map((share) => quantile(times, share).toFixed(0).padStart(5));
  return `median ${middle} ms, 5 % below ${low}, 5 % above ${high}`;
}

/** @param {number[]} times */
function median(times) {
  return quantile(times, 0.5);
}

/** @param {number[]} times @param {number} share */
function quantile(times, share) {
  return times.toSorted((a, b) => a - b)[Math.floor(share * times.length)] ?? Number.NaN;
}
