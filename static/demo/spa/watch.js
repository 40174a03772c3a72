// Watches a silent renewal from outside, while oidc-client-ts does it, and reports what it sees to the steps.
// What happens inside the provider, and where the iframe is meanwhile, no page may see: step 2 is known by its result.

/** @typedef {ReturnType<typeof import("../lib/steps.js").createSteps>} Steps */
/** @typedef {import("../lib/steps.js").Step} Step */

export class Watch {
  /** Is a renewal under way? From the iframe to the result, which comes when the iframe is gone already. */
  running = false;

  /** @type {HTMLIFrameElement | undefined} the hidden iframe of the renewal that is watched */
  #frame;
  #steps;
  #issuer;
  #tell;

  /**
   * @param {Steps} steps
   * @param {string} issuer
   * @param {{begin: () => void, stuck: () => void}} tell when a renewal begins, and when its iframe got stuck
   */
  constructor(steps, issuer, tell) {
    this.#steps = steps;
    this.#issuer = issuer;
    this.#tell = tell;
    new MutationObserver((records) => this.#appended(records)).observe(document.body, { childList: true });
    new PerformanceObserver((list) => this.#requested(list.getEntries())).observe({ type: "resource" });
    window.addEventListener("message", (event) => this.#heard(event));
  }

  /**
   * (1) oidc-client-ts appends a hidden iframe to the body.
   *
   * @param {MutationRecord[]} records
   */
  #appended(records) {
    for (const node of records.flatMap((record) => [...record.addedNodes])) {
      if (node instanceof HTMLIFrameElement) this.#begin(node);
    }
  }

  /** @param {HTMLIFrameElement} frame */
  #begin(frame) {
    this.running = true;
    this.#frame = frame;
    frame.addEventListener("load", () => this.#stopped(frame));
    this.#tell.begin();
    this.#steps.begin();
    this.#steps.set(1, "active", "a hidden iframe was added to this page");
  }

  /**
   * The library's own store for what a request must remember until its answer comes. It writes there at the last
   * moment before it points the iframe at /authorize, so this is where that can be seen.
   *
   * @param {typeof import("oidc-client-ts")} oidc
   */
  stateStore(oidc) {
    const store = new oidc.WebStorageStateStore({ store: window.localStorage });
    const set = store.set.bind(store);
    store.set = async (key, value) => {
      await set(key, value);
      if (JSON.parse(value).request_type === "si:s") this.#sent(); // "signin, silent"
    };
    return store;
  }

  #sent() {
    this.#steps.set(1, "done", "state and code_verifier kept in this browser; the iframe goes to /authorize");
    this.#steps.set(2, "active");
  }

  /**
   * (2) A redirect is no page, so the iframe never "loads" at the provider. When it does, it is stuck there: on an
   * error page, a sign-in page, or the browser's own "cannot connect". This page may not look inside.
   *
   * @param {HTMLIFrameElement} frame
   */
  #stopped(frame) {
    if (frame.contentDocument) return; // a page of our own origin: the empty one at the start, or the callback
    this.#fail(2, "the iframe stopped on a page of another origin instead of coming back");
    this.#tell.stuck();
  }

  /**
   * (3) The callback page in the iframe posts its address to this page (RFC 6749 §4.1.2: code or error).
   *
   * @param {MessageEvent} event
   */
  #heard({ origin, source, data }) {
    if (origin !== location.origin || !source || source !== this.#frame?.contentWindow) return;
    if (data?.source !== "oidc-client") return;
    const answer = new URL(data.url).searchParams;
    const code = answer.get("code");
    if (!code) return this.#fail(2, `the iframe came back with error=${answer.get("error")}`);
    this.#steps.set(2, "done", `the iframe came back with code=${code.slice(0, 6)}…`);
    this.#steps.set(3, "active", "the iframe told this page its address, by postMessage");
  }

  /**
   * Requests to the provider while step 3 runs: the code is exchanged at /token, then userinfo is asked.
   *
   * @param {PerformanceEntryList} entries
   */
  #requested(entries) {
    if (this.#steps.stateOf(3) !== "active") return;
    for (const entry of /** @type {PerformanceResourceTiming[]} */ (entries)) {
      const { origin, pathname } = new URL(entry.name);
      if (entry.initiatorType !== "fetch" || origin !== new URL(this.#issuer).origin) continue;
      const status = entry.responseStatus ? ` ${entry.responseStatus}` : "";
      this.#steps.add(3, `${pathname} answered${status} in ${Math.round(entry.duration)} ms`, entry.responseEnd);
    }
  }

  /** @param {import("oidc-client-ts").User} user that the library loaded in the end */
  succeeded(user) {
    this.running = false;
    this.#steps.set(3, "done", `new tokens stored, after state and sub were compared; valid ${user.expires_in} s`);
  }

  /** @param {import("../lib/problem.js").Problem} problem that the library reported in the end */
  failed(problem) {
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
