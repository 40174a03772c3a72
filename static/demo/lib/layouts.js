// What this layout does to the provider's cookie: measured, never guessed from the browser's name. A page of the
// provider's is loaded in a hidden iframe, as a silent renewal would load it, and says which cookies came with it.

import { byId, make } from "../../shared/dom.js";
import { LabBanner } from "../../shared/labbanner.js";
import { loadConfig } from "./config.js";
import { serveCopyButtons } from "./copy.js";
import { labChanged, Provider } from "./provider.js";
import { crossSite } from "./site.js";

/**
 * @typedef {object} Probe
 * @property {string[]} cookies the names of the session cookies that arrived
 * @property {boolean} session do they open a session?
 * @property {{site?: string, dest?: string, storage_access?: string}} fetch what the browser said by itself
 */

const timeout = 5000; // milliseconds

/** @type {[string, string]} */
const closed = [
  "closed",
  "Not measured. The provider is not running, or does not answer this page. It answers in development mode only, and only to the origins in console_origins.",
];

const config = await loadConfig();
const provider = Provider.of(config.issuer);
serveCopyButtons();
const lab = new LabBanner(byId("lab-on"), {
  read: async () => ((await provider.isOpen()) ? provider.get("/lab") : { notices: [] }),
  turnOff: () => provider.send("POST", "/lab/off"),
});
addEventListener(labChanged, () => void lab.update());
document.addEventListener("visibilitychange", () => document.hidden || void lab.update()); // somebody was elsewhere
addEventListener("focus", () => void lab.update());
void lab.update();
let measurements = 0;
byId("measure").addEventListener("click", () => void measure());
let signedIn = document.body.dataset.signedIn;
new MutationObserver(() => {
  if (document.body.dataset.signedIn === signedIn) return; // set again to what it was
  signedIn = document.body.dataset.signedIn;
  void measure();
}).observe(document.body, { attributeFilter: ["data-signed-in"] });
// An OAuth error came back: perhaps the session has ended meanwhile, or the failure lab caused it.
const message = document.getElementById("message");
if (message)
  new MutationObserver(() => {
    if (!message.dataset.error) return;
    void measure();
    void lab.update();
  }).observe(message, { attributeFilter: ["data-error"] });
await measure();

async function measure() {
  const turn = ++measurements;
  const [measured, words] = (await provider.isOpen()) ? judge(await ask()) : closed;
  if (turn !== measurements) return; // a later one has begun
  const output = byId("layout-measured");
  output.dataset.measured = measured;
  output.textContent = words;
}

/** @returns {Promise<Probe | undefined>} */
function ask() {
  const over = new AbortController();
  const { origin } = new URL(config.issuer);
  const frame = make("iframe");
  frame.title = "which cookies arrive";
  frame.src = `${config.issuer}/console/probe?origin=${encodeURIComponent(location.origin)}`;
  const answer = new Promise((resolve) => {
    setTimeout(resolve, timeout);
    const hear = (/** @type {MessageEvent} */ event) => {
      if (event.origin === origin && event.source === frame.contentWindow && event.data?.source === "hush-probe")
        resolve(event.data);
    };
    window.addEventListener("message", hear, { signal: over.signal });
  });
  byId("probe").append(frame);
  return answer.finally(() => {
    over.abort();
    frame.remove();
  });
}

/**
 * @param {Probe | undefined} probe
 * @returns {[string, string]} a word for programs, a sentence for people
 */
function judge(probe) {
  if (!probe) return ["silent", "Not measured. The provider's page in the iframe did not answer."];
  const { cookies, session, fetch } = probe;
  if (session)
    return [
      "session",
      "The provider's cookie arrived in a hidden iframe and belongs to a session, so silent renewal works here.",
    ];
  if (cookies.length > 0)
    return ["cookie", "The provider's cookie arrived in a hidden iframe, but belongs to no session. Sign in."];
  if (!crossSite(location.origin, config.issuer)) {
    return ["none", "Not signed in yet. App and provider are one site, so browsers send the cookie."];
  }
  return withoutCookie(fetch.storage_access);
}

/**
 * No cookie came into an iframe of another site. Some browsers say whether they would have sent one.
 *
 * @param {string | undefined} access Sec-Fetch-Storage-Access
 * @returns {[string, string]}
 */
function withoutCookie(access) {
  if (access === "active") {
    return [
      "none",
      "No cookie arrived. This browser would send one (Sec-Fetch-Storage-Access: active), so nobody is signed in there.",
    ];
  }
  if (access) {
    return [
      "withheld",
      `No cookie arrived. This browser does not send third-party cookies to iframes (Sec-Fetch-Storage-Access: ${access}).`,
    ];
  }
  return [
    "absent",
    "No cookie arrived. Either the browser withheld it, or nobody is signed in there. This browser does not say which.",
  ];
}
