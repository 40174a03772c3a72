// Watches a silent renewal from outside, while oidc-client-ts does it, and reports what it sees to the steps and to the
// timeline. No page may see what happens inside the provider, or where the iframe is meanwhile. So the result tells
// what happened in step 2, and the provider itself adds its part to the timeline.

import { bridgePassed } from "../lib/bridge.js";
import { pageProblem } from "../lib/reason.js";

/** @typedef {ReturnType<typeof import("../lib/steps.js").createSteps>} Steps */
/** @typedef {import("../lib/steps.js").Step} Step */
/** @typedef {import("../lib/timeline.js").Timeline} Timeline */
/** @typedef {import("../lib/problem.js").Problem} Problem */

/**
 * @typedef {object} Tell
 * @property {() => void} begin a renewal begins
 * @property {() => void} stuck its iframe got stuck
 * @property {(problem: Problem) => void} page the page on which it got stuck says what is wrong
 * @property {(answer: {state: string, error?: string}) => void} answer the provider's answer came back
 */

export class Watch {
  /** Is a renewal running? From its request to its result, which comes after the iframe was removed. */
  running = false;

  /** @type {HTMLIFrameElement | undefined} the hidden iframe of the renewal that is watched */
  #frame;
  #came = 0; // the time by performance.now() when the iframe was added, in milliseconds
  #steps;
  #issuer;
  #tell;

  /**
   * @param {Pick<Steps, "begin" | "set" | "add" | "refuse" | "stateOf">} steps
   * @param {Timeline} timeline
   * @param {string} issuer
   * @param {Tell} tell
   */
  constructor(steps, timeline, issuer, tell) {
    this.#steps = steps;
    this.timeline = timeline;
    this.#issuer = issuer;
    this.#tell = tell;
    new MutationObserver((records) => this.#changed(records)).observe(document.body, { childList: true });
    new PerformanceObserver((list) => this.#requested(list.getEntries())).observe({ type: "resource" });
    window.addEventListener("message", (event) => this.#heard(event));
  }

  /**
   * (1) The store in which the library keeps the state of a request until the answer comes. The library writes there
   * right before the iframe goes to /authorize, so this write shows that a renewal begins.
   *
   * @param {typeof import("oidc-client-ts")} oidc
   */
  stateStore(oidc) {
    const store = new oidc.WebStorageStateStore({ store: window.localStorage });
    const set = store.set.bind(store);
    store.set = async (key, value) => {
      await set(key, value);
      if (JSON.parse(value).request_type === "si:s") this.#begin(key); // "signin, silent"
    };
    return store;
  }

  /** @param {string} state of the request */
  #begin(state) {
    this.running = true;
    this.#frame = undefined;
    this.#tell.begin();
    this.#steps.begin();
    this.timeline.begin();
    this.timeline.request(state);
    this.#steps.set(1, "active", "state and code_verifier are stored in this browser");
  }

  /**
   * A hidden iframe is appended to the body, and removed when the answer has come.
   *
   * @param {MutationRecord[]} records
   */
  #changed(records) {
    const added = records.flatMap((record) => [...record.addedNodes]);
    for (const node of added) if (node instanceof HTMLIFrameElement) this.#added(node);
    const removed = records.flatMap((record) => [...record.removedNodes]);
    if (removed.some((node) => node === this.#frame)) this.#removed();
  }

  /** @param {HTMLIFrameElement} frame */
  #added(frame) {
    if (this.#steps.stateOf(1) !== "active") return; // an iframe of another script
    this.#frame = frame;
    this.#came = performance.now();
    frame.addEventListener("load", () => bridgePassed().then(() => this.#stopped(frame)));
    this.#steps.set(1, "done", "a hidden iframe was added to this page; it goes to /authorize");
    this.#steps.set(2, "active");
    this.timeline.add({ step: 1, from: "app", to: "iframe", text: "A hidden iframe is added to the page" });
    const request = "GET /authorize";
    const text = `${request} with prompt=none and code_challenge`;
    this.timeline.add({ step: 1, from: "iframe", to: "provider", text, request, again: true });
  }

  #removed() {
    const text = `The iframe is removed, ${Math.round(performance.now() - this.#came)} ms after it came`;
    this.timeline.add({ step: 1, from: "app", to: "iframe", text }); // or later: the timeline goes up only
  }

  /**
   * (2) A redirect is no page, so the iframe never "loads" at the provider. When it does, and stays, it is stuck there: on an
   * error page, a sign-in page, or the browser's own "cannot connect". This page may not look inside.
   *
   * @param {HTMLIFrameElement} frame
   */
  #stopped(frame) {
    if (frame.contentDocument) return; // a page of our own origin: the empty one at the start, or the callback
    if (!frame.isConnected) return; // removed: it is nowhere
    this.#fail(2, "the iframe stopped on a page of another origin instead of coming back");
    const text = "The iframe stopped on a page of another origin: this page may not read it";
    this.timeline.add({ step: 2, from: "iframe", to: "iframe", text, state: "failed" });
    this.#tell.stuck();
  }

  /**
   * (3) The callback page in the iframe posts its address to this page (RFC 6749 §4.1.2: code or error). An error page of
   * the provider's may also post something: what is wrong.
   *
   * @param {MessageEvent} event
   */
  #heard(event) {
    const { origin, source, data } = event;
    if (!source || source !== this.#frame?.contentWindow) return;
    const problem = pageProblem(event, this.#issuer);
    if (problem) this.#tell.page(problem);
    if (origin !== location.origin || data?.source !== "oidc-client") return;
    this.#answered(new URL(data.url).searchParams);
  }

  /** @param {URLSearchParams} answer */
  #answered(answer) {
    const [code, error, state] = ["code", "error", "state"].map((name) => answer.get(name) ?? "");
    this.#tell.answer({ state: state ?? "", error });
    const back = `redirect back with ${code ? "a code" : `error=${error}`}`; // seen by its result
    this.timeline.add({
      step: 2,
      from: "provider",
      to: "iframe",
      text: back,
      state: code ? "unseen" : "failed",
      again: true,
    });
    if (!code) {
      this.#steps.refuse();
      this.#fail(2, `the iframe came back with error=${error}`);
      const text = `postMessage: the iframe came back with error=${error}`;
      return this.timeline.add({ step: 3, from: "iframe", to: "app", text, state: "failed" });
    }
    this.#steps.set(2, "done", `the iframe came back with code=${code.slice(0, 6)}…`);
    this.#steps.set(3, "active", "the iframe told this page its address, by postMessage");
    const text = `postMessage: the iframe came back with code=${code.slice(0, 6)}…`;
    return this.timeline.add({ step: 3, from: "iframe", to: "app", text });
  }

  /**
   * Requests to the provider while step 3 runs: the exchange of the code at /token, and userinfo if loadUserInfo is on.
   *
   * @param {PerformanceEntryList} entries
   */
  #requested(entries) {
    if (this.#steps.stateOf(3) !== "active") return;
    for (const entry of /** @type {PerformanceResourceTiming[]} */ (entries)) {
      if (entry.initiatorType !== "fetch" || !entry.name.startsWith(`${this.#issuer}/`)) continue;
      if (entry.name.startsWith(`${this.#issuer}/console/`)) continue; // this page itself, asking what happened
      this.#measured(new URL(entry.name).pathname, entry);
    }
  }

  /**
   * @param {string} path
   * @param {PerformanceResourceTiming} entry
   */
  #measured(path, { responseStatus, duration, startTime, responseEnd }) {
    const status = responseStatus ? ` ${responseStatus}` : "";
    this.#steps.add(3, `${path} answered${status} in ${Math.round(duration)} ms`, responseEnd);
    this.timeline.add({ step: 3, from: "app", to: "provider", text: `fetch ${path}`, when: startTime, again: true });
    const text = `fetch ${path} answered${status}, as seen from here`;
    this.timeline.add({ step: 3, from: "app", to: "app", text, took: duration, when: responseEnd });
  }

  /** @param {import("oidc-client-ts").User} user that the library loaded in the end */
  succeeded(user) {
    this.running = false;
    this.#steps.set(3, "done", `new tokens stored, after state and sub were compared; valid ${user.expires_in} s`);
    const text = `oidc-client-ts: userLoaded. New tokens, valid for ${user.expires_in} s`;
    this.timeline.add({ step: 3, from: "app", to: "app", text });
    this.timeline.end("done");
  }

  /** @param {Problem} problem that the library reported in the end */
  failed(problem) {
    if (this.running) {
      const step = this.#steps.stateOf(3) === "active" ? 3 : 2;
      const text = `oidc-client-ts gives up: ${problem.error ?? problem.code}`;
      this.timeline.add({ step, from: "app", to: "app", text, state: "failed" });
      this.timeline.end("failed");
    }
    this.running = false;
    for (const n of /** @type {Step[]} */ ([1, 2, 3])) this.#fail(n, problem.description ?? problem.code);
  }

  /**
   * Only the step that is happening can fail.
   *
   * @param {Step} n
   * @param {string} seen
   */
  #fail(n, seen) {
    if (this.#steps.stateOf(n) === "active") this.#steps.set(n, "failed", seen);
  }
}
