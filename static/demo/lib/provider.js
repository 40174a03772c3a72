// The provider's own view of what happened, and its failure lab: the console of a provider in development mode. Other
// providers, and this one outside development, have no such thing; then everything here quietly does nothing.

/**
 * @typedef {import("../../shared/diagram.js").Flow} Flow
 * @typedef {import("../../shared/diagram-details.js").Record} Record
 */

/**
 * @typedef {object} Report what the provider cannot see: this page tells it
 * @property {"callback" | "api" | "clock"} kind
 * @property {string} [state] of the authorization request: a callback belongs to it
 * @property {string} [jti] of the access token: a call of the API belongs to it
 * @property {number} [status] of the API's answer
 * @property {string} [url]
 * @property {number} [took_ms]
 * @property {number} [ago_ms] how long before the report it happened
 * @property {string} [error] of the provider's answer
 * @property {number} [skew_s] seconds by which this clock is ahead of the provider's
 */

/** The name of an event of the window: this page changed what the failure lab does. */
export const labChanged = "hush-lab";

const retryAfter = 5000; // milliseconds; a provider may start later, but asking often would fill the browser's console

export class Provider {
  /** @type {Map<string, Provider>} by issuer: one knocks for the whole page */
  static #known = new Map();
  #console;
  #shut = 0; // until then nobody knocks again, as performance.now() counts
  /** @type {Promise<string> | undefined} what every request that changes something must bring */
  #csrf;

  /** @param {string} issuer */
  constructor(issuer) {
    this.#console = `${issuer.replace(/\/$/, "")}/console`;
  }

  /** @param {string} issuer */
  static of(issuer) {
    const known = Provider.#known.get(issuer) ?? new Provider(issuer);
    Provider.#known.set(issuer, known);
    return known;
  }

  /** Does it let us look inside? */
  async isOpen() {
    if (performance.now() < this.#shut) return false;
    const open = (await this.#token().catch(() => "")) !== "";
    if (!open) this.#shut = performance.now() + retryAfter;
    return open;
  }

  #token() {
    this.#csrf ??= this.get("/token").then((answer) => answer.csrf);
    this.#csrf.catch(() => this.#forget()); // it may start later
    return this.#csrf;
  }

  #forget() {
    this.#csrf = undefined;
  }

  /**
   * @param {string} path below /console
   * @returns {Promise<any>} the answer's JSON
   */
  async get(path) {
    return read(await fetch(this.#console + path, { cache: "no-store" }));
  }

  /**
   * Sends a request that changes something.
   *
   * @param {"POST" | "PUT" | "DELETE"} method
   * @param {string} path below /console
   * @param {object} [body]
   * @returns {Promise<any>} the answer's JSON, or undefined when it has none
   */
  async send(method, path, body) {
    const csrf = await this.#token();
    const headers = { "X-Hush-CSRF": csrf, "Content-Type": "application/json" };
    // keepalive: what a page repairs as it is left must still arrive
    const request = { method, headers, body: body && JSON.stringify(body), keepalive: true };
    const response = await fetch(this.#console + path, request);
    if (response.status === 403) this.#forget(); // it was started anew, and has another token
    if (/^\/(faults|clock)/.test(path)) dispatchEvent(new Event(labChanged));
    return read(response);
  }

  /**
   * Tells the provider what only this page knows. Nobody waits for it, and nothing depends on it.
   *
   * @param {Report} report
   */
  async report(report) {
    if (await this.isOpen()) await this.send("POST", "/reports", report).catch(() => undefined);
  }

  /**
   * Receives every request that the provider answers from now on, while this page is visible: browsers allow six open
   * connections to one server, and hidden tabs should not use them up.
   *
   * @param {(event: {flow: Flow, record: Record}) => void} hear
   */
  async watch(hear) {
    if (!(await this.isOpen())) return;
    /** @type {EventSource | undefined} */
    let source;
    const follow = () => {
      if (document.visibilityState !== "visible") {
        source?.close();
        source = undefined;
      } else if (!source || source.readyState === EventSource.CLOSED) {
        source = new EventSource(`${this.#console}/events`);
        source.addEventListener("flow", (event) => hear(JSON.parse(event.data)));
      }
    };
    document.addEventListener("visibilitychange", follow);
    follow();
  }
}

/** @param {Response} response */
async function read(response) {
  const text = await response.text();
  const body = text && (response.headers.get("Content-Type") ?? "").includes("json") ? JSON.parse(text) : undefined;
  if (response.ok) return body;
  throw new Error(
    `the provider's console answered ${response.status}: ${body?.error_description ?? response.statusText}`,
  );
}
