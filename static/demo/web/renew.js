// Silent renewal for the server-side app: a hidden iframe, opened and taken away by the page itself.

import { make } from "../lib/dom.js";
import { reachable } from "../lib/problem.js";

/** @typedef {ReturnType<typeof import("../lib/steps.js").createSteps>} Steps */
/** @typedef {{status: number, body: {error?: string, error_description?: string}}} Result */

const timeout = 10_000; // milliseconds; a provider that shows a page instead of redirecting is never heard of

/**
 * Resolves with what the server said to the provider's answer, or with the error "timeout" or "provider_down".
 *
 * @param {Steps} steps
 * @param {string} issuer
 * @returns {Promise<Result>}
 */
export async function renewSilently(steps, issuer) {
  const frame = /** @type {HTMLIFrameElement} */ (make("iframe"));
  frame.hidden = true;
  frame.title = "silent renewal";
  frame.src = "/web/silent";
  steps.begin();
  const result = listen(frame, steps, issuer);
  document.body.append(frame);
  steps.set(1, "active", "a hidden iframe was added; its address is /web/silent, which redirects it to /authorize");
  try {
    return await result;
  } finally {
    frame.remove();
  }
}

/**
 * @param {HTMLIFrameElement} frame
 * @param {Steps} steps
 * @param {string} issuer
 * @returns {Promise<Result>}
 */
function listen(frame, steps, issuer) {
  const over = new AbortController(); // ends the listener, whichever way it ends
  const heard = new Promise((resolve) => {
    setTimeout(resolve, timeout, { status: 0, body: { error: "timeout" } });
    frame.addEventListener("load", async () => {
      if (!stoppedElsewhere(frame, steps) || (await reachable(issuer))) return;
      resolve({ status: 0, body: { error: "provider_down" } }); // no need to wait for the timer
    });
    const hear = (/** @type {MessageEvent} */ event) => {
      if (event.origin !== location.origin || event.source !== frame.contentWindow) return;
      if (event.data?.step === "answer") answered(event.data, steps);
      if (event.data?.step === "result") resolve(event.data);
    };
    window.addEventListener("message", hear, { signal: over.signal });
  });
  return heard.finally(() => over.abort());
}

/**
 * What the iframe's last page found in its address. Neither code nor error: the app's own server sent it there,
 * since it could not ask the provider, and will say why when the result comes.
 *
 * @param {{code?: string, error?: string}} answer
 * @param {Steps} steps
 */
function answered({ code, error }, steps) {
  if (!code && !error) return steps.set(1, "failed", "the app's server could not send the iframe to /authorize");
  steps.set(1, "done");
  if (!code) return steps.set(2, "failed", `the iframe came back with error=${error}`);
  steps.set(2, "done", `the iframe came back with code=${code}…`);
  return steps.set(3, "active", "the iframe told this page, and hands the code to the app's server");
}

/**
 * A redirect is no page: the iframe "loads" at the provider only when it is stuck there, on a page that
 * nobody sees and this page may not read.
 *
 * @param {HTMLIFrameElement} frame
 * @param {Steps} steps
 */
function stoppedElsewhere(frame, steps) {
  if (frame.contentDocument || steps.stateOf(1) !== "active") return false;
  steps.set(1, "done");
  steps.set(2, "failed", "the iframe stopped on a page of another origin instead of coming back");
  return true;
}
