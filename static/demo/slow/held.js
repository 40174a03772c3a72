// A real silent renewal that stops before each of its messages until somebody opens the gate. oidc-client-ts waits for two
// things that an app may give it: the navigator that opens the iframe, and the store that has the code_verifier. So the
// library is held there, and none of its timers runs meanwhile: the timer for the iframe begins when the iframe opens.

import { callApi } from "../lib/api.js";
import { problemOf } from "../lib/problem.js";
import { hiddenFrames } from "../spa/hiddenframe.js";
import { settings } from "../spa/settings.js";

/** @typedef {"1" | "2" | "3a" | "3b" | "3c" | "4" | "end" | "failed"} StopId */

/**
 * What was seen when the renewal reached a stop.
 *
 * @typedef {object} Facts
 * @property {string} [url] the address of /authorize, or of the callback page
 * @property {number} [took] milliseconds
 * @property {Record<string, string>} [stored] what the library stored with the state
 * @property {import("oidc-client-ts").User} [user]
 * @property {import("../lib/api.js").ApiAnswer} [api]
 * @property {import("../lib/problem.js").Problem} [problem]
 */

// A code is valid for 60 seconds at this provider. A reader may need longer, so the renewal goes on by itself before that.
const patience = 40_000; // milliseconds

export class HeldRenewal {
  /** @type {Map<StopId, Facts>} the stops that were reached */
  reached = new Map();
  state = ""; // of the authorization request
  hurried = false; // it went on by itself
  #oidc;
  #config;
  #changed;
  #answered = 0; // when the code came, as performance.now() counts
  /** @type {Map<StopId, {promise: Promise<void>, open: () => void}>} */
  #gates = new Map();

  /**
   * @param {typeof import("oidc-client-ts")} oidc
   * @param {import("../lib/config.js").Config} config
   * @param {() => void} changed told when a stop was reached
   */
  constructor(oidc, config, changed) {
    this.#oidc = oidc;
    this.#config = config;
    this.#changed = changed;
  }

  /** Lets the renewal go on from this stop. @param {StopId} stop */
  open(stop) {
    this.#gate(stop).open();
  }

  /** Resolves when the renewal has ended, well or not. */
  async run() {
    const oidc = this.#oidc;
    const app = { ...settings(this.#config), automaticSilentRenew: false };
    const userStore = new oidc.WebStorageStateStore({ store: new oidc.InMemoryWebStorage() });
    const own = { ...app, userStore, stateStore: this.#store() };
    const manager = new oidc.UserManager(own, undefined, undefined, this.#navigator());
    try {
      await this.#copyUser(new oidc.UserManager(app), manager);
      const user = (await manager.signinSilent()) ?? undefined;
      await this.#hold("3c", { user });
      await this.#hold("4", { user });
      this.#reach("end", { user, api: await callApi((await manager.getUser())?.access_token) });
    } catch (error) {
      this.#reach("failed", { problem: problemOf(error) });
    }
  }

  /**
   * The user of this tab, for id_token_hint. signinSilent() would use a refresh token instead of the iframe.
   *
   * @param {import("oidc-client-ts").UserManager} from
   * @param {import("oidc-client-ts").UserManager} to
   */
  async #copyUser(from, to) {
    const user = await from.getUser();
    if (user) user.refresh_token = undefined;
    await to.storeUser(user);
  }

  /** (1) and (2), and the message of the iframe. @returns {import("oidc-client-ts").INavigator} */
  #navigator() {
    const frames = hiddenFrames(this.#oidc, this.#config.issuer);
    const prepare = async () => {
      const frame = await frames.prepare({});
      return {
        close: () => frame.close(),
        navigate: async (/** @type {import("oidc-client-ts").NavigateParams} */ params) => {
          await this.#hold("1", { url: params.url });
          const start = performance.now();
          const answer = await frame.navigate(params);
          const took = Math.round(performance.now() - start);
          this.#answered = performance.now();
          await this.#holdCode("2", { url: answer.url, took });
          await this.#holdCode("3a", { url: answer.url });
          return answer;
        },
      };
    };
    return { prepare, callback: async () => undefined };
  }

  /** (3) The library takes the code_verifier out of this store right before it exchanges the code. */
  #store() {
    const store = new this.#oidc.WebStorageStateStore({ store: window.localStorage });
    const [set, remove] = [store.set.bind(store), store.remove.bind(store)];
    store.set = async (key, value) => {
      this.state = key;
      await set(key, value);
    };
    store.remove = async (key) => {
      const stored = await remove(key);
      if (key === this.state && this.#hasCode()) await this.#holdCode("3b", { stored: JSON.parse(stored ?? "{}") });
      return stored;
    };
    return store;
  }

  #hasCode() {
    return new URL(this.reached.get("2")?.url ?? "about:blank").searchParams.has("code");
  }

  /** @param {StopId} stop @param {Facts} facts */
  #hold(stop, facts) {
    this.#reach(stop, facts);
    return this.#gate(stop).promise;
  }

  /** The same while a code gets older. @param {StopId} stop @param {Facts} facts */
  async #holdCode(stop, facts) {
    const opened = this.#hold(stop, facts);
    const left = patience - (performance.now() - this.#answered);
    const late = new Promise((resolve) => setTimeout(resolve, Math.max(0, left), true));
    if (!(await Promise.race([opened, late]))) return;
    this.hurried = true;
    this.#changed();
  }

  /** @param {StopId} stop @param {Facts} facts */
  #reach(stop, facts) {
    this.reached.set(stop, facts);
    this.#changed();
  }

  /** @param {StopId} stop */
  #gate(stop) {
    const there = this.#gates.get(stop);
    if (there) return there;
    let open = () => {};
    const promise = /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        open = () => resolve(undefined);
      })
    );
    const gate = { promise, open };
    this.#gates.set(stop, gate);
    return gate;
  }
}
