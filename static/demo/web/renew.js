// Silent renewal for the server-side app: a hidden iframe, opened and taken away by the page itself.

import { make } from "../../shared/dom.js";
import { bridgePassed } from "../lib/bridge.js";
import { reachable } from "../lib/problem.js";
import { pageProblem } from "../lib/reason.js";

/** @typedef {ReturnType<typeof import("../lib/steps.js").createSteps>} Steps */
/** @typedef {import("../lib/timeline.js").Timeline} Timeline */
/** @typedef {import("../lib/problem.js").Problem} Problem */
/** @typedef {{status: number, body: {error?: string, error_description?: string}, description?: string}} Result description: the provider's own words */
/** @typedef {{code?: string, state?: string, error?: string}} Answer what the callback page found in its address */

const timeout = 10_000; // milliseconds; a provider that shows a page instead of redirecting is never heard of

/**
 * @typedef {object} Renewal
 * @property {Pick<Steps, "begin" | "set" | "refuse" | "stateOf">} steps
 * @property {Timeline} timeline
 * @property {string} issuer
 * @property {(answer: {state: string, error?: string}) => void} answer told when the provider's answer came back
 * @property {() => void} stuck told when the iframe is stuck on a page of another origin
 * @property {(problem: Problem) => void} page told when the iframe is stuck on a page that says what is wrong
 */

/**
 * Resolves with what the server said to the provider's answer, or with the error "timeout" or "provider_down".
 *
 * @param {Renewal} renewal
 * @returns {Promise<Result>}
 */
export async function renewSilently(renewal) {
  const { steps, timeline } = renewal;
  const frame = make("iframe");
  frame.hidden = true;
  frame.title = "silent renewal";
  frame.allow = `identity-credentials-get ${new URL(renewal.issuer).origin}`; // for a page of the provider that asks for the cookie
  frame.src = "/web/silent";
  steps.begin();
  timeline.begin();
  const result = listen(frame, renewal);
  document.body.append(frame);
  steps.set(1, "active", "a hidden iframe was added; its address is /web/silent, which redirects it to /authorize");
  timeline.add({ step: 1, from: "app", to: "iframe", text: "A hidden iframe is added to the page" });
  const request = "GET /web/silent";
  const text = `${request}, which redirects to /authorize`;
  timeline.add({
    step: 1,
    from: "iframe",
    to: "server",
    text,
    request,
    state: "unseen",
    causes: ["iframe", "provider"],
  });
  try {
    return await result;
  } finally {
    frame.remove();
    timeline.add({
      step: 1, // or later: the timeline goes up only
      from: "app",
      to: "iframe",
      text: `The iframe is removed, ${timeline.age} ms after it came`,
    });
  }
}

/**
 * @param {HTMLIFrameElement} frame
 * @param {Renewal} renewal
 * @returns {Promise<Result>}
 */
function listen(frame, renewal) {
  const { issuer } = renewal;
  const over = new AbortController(); // ends the listener, whichever way it ends
  const heard = new Promise((resolve) => {
    setTimeout(resolve, timeout, { status: 0, body: { error: "timeout" } });
    frame.addEventListener("load", async () => {
      await bridgePassed();
      if (!frame.isConnected || !stoppedElsewhere(frame, renewal)) return;
      renewal.stuck();
      if (await reachable(issuer)) return;
      resolve({ status: 0, body: { error: "provider_down" } }); // no need to wait for the timer
    });
    const hear = (/** @type {MessageEvent} */ event) => {
      if (event.source === frame.contentWindow) listenTo(event, renewal, resolve);
    };
    window.addEventListener("message", hear, { signal: over.signal });
  });
  return heard.finally(() => over.abort());
}

/**
 * A message out of the iframe: of our own callback page, or of a page of the provider's that got stuck there.
 *
 * @param {MessageEvent} event
 * @param {Renewal} renewal
 * @param {(result: Result) => void} resolve
 */
function listenTo(event, renewal, resolve) {
  const problem = pageProblem(event, renewal.issuer);
  if (problem) renewal.page(problem);
  if (event.origin !== location.origin) return;
  if (event.data?.step === "answer") answered(event.data, renewal);
  if (event.data?.step === "result") resolve(event.data);
}

/**
 * What the iframe's last page found in its address. Neither code nor error: the app's own server sent it there,
 * since it could not ask the provider, and will say why when the result comes.
 *
 * @param {Answer} found
 * @param {Renewal} renewal
 */
function answered({ code, state, error }, { steps, timeline, answer }) {
  const way = /** @type {const} */ ({ from: "iframe", to: "app" });
  if (!code && !error) {
    const text = "The app's server could not send the iframe to /authorize";
    timeline.add({ step: 1, from: "server", to: "server", text, state: "failed" });
    return steps.set(1, "failed", text.replace("The", "the"));
  }
  timeline.request(state ?? "");
  const back = `redirect back with ${code ? "a code" : `error=${error}`}`; // seen by its result
  timeline.add({ step: 2, from: "provider", to: "iframe", text: back, state: code ? "unseen" : "failed", again: true });
  answer({ state: state ?? "", error });
  steps.set(1, "done");
  if (!code) {
    steps.refuse();
    steps.set(2, "failed", `the iframe came back with error=${error}`);
    timeline.add({ step: 3, ...way, text: `postMessage: the iframe came back with error=${error}`, state: "failed" });
    return undefined;
  }
  steps.set(2, "done", `the iframe came back with code=${code}…`);
  steps.set(3, "active", "the iframe told this page, and hands the code to the app's server");
  timeline.add({ step: 3, ...way, text: `postMessage: the iframe came back with code=${code}…` });
  const request = "POST /web/silent/finish";
  timeline.add({
    step: 3,
    from: "iframe",
    to: "server",
    text: `${request}, with the code`,
    request,
    state: "unseen",
    causes: ["server", "provider"],
  });
  return undefined;
}

/**
 * A redirect is no page: the iframe "loads" at the provider only when it is stuck there, on a page that
 * nobody sees and this page may not read.
 *
 * @param {HTMLIFrameElement} frame
 * @param {Renewal} renewal
 */
function stoppedElsewhere(frame, { steps, timeline }) {
  if (frame.contentDocument || steps.stateOf(1) !== "active") return false;
  steps.set(1, "done");
  steps.set(2, "failed", "the iframe stopped on a page of another origin instead of coming back");
  const text = "The iframe stopped on a page of another origin: this page may not read it";
  timeline.add({ step: 2, from: "iframe", to: "iframe", text, state: "failed" });
  return true;
}
