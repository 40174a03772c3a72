// What the lessons and the comparison play on: an app that is set up as each of them wants it, and a provider that can be
// set up wrongly.

import { tellings } from "../../shared/renewal.js";
import { hiddenFrames } from "../spa/hiddenframe.js";
import { settings } from "../spa/settings.js";
import { Watch } from "../spa/watch.js";
import { renewSilently } from "../web/renew.js";
import { callApi } from "./api.js";
import { fromWire, problemOf, Refused } from "./problem.js";
import { Provider } from "./provider.js";
import { reasonIn } from "./reason.js";
import { RenewalLadder } from "./renewal-ladder.js";
import { tellCallback } from "./reports.js";
import { Timeline } from "./timeline.js";

/** @typedef {import("./timeline.js").Reasoned} Reasoned */
/** @typedef {import("./problem.js").Problem} Problem */
/** @typedef {{client_id: string, redirect_uris: string[]}} Client */
/** @typedef {Partial<import("oidc-client-ts").UserManagerSettings>} Settings */

/**
 * @typedef {object} Hopes
 * @property {HTMLElement} diagram to draw into
 * @property {string} client whose renewal it is
 * @property {string} [reason] that is expected: of several flows, the one with it is shown
 * @property {(reasons: Reasoned[]) => void} [blame] told when the provider has found reasons
 * @property {() => void} [stuck] told when the iframe is stuck on a page of another origin
 * @property {(problem: Problem) => void} [page] told when a page of the provider's says what is wrong
 */

export class Stage {
  #oidc;
  #config;
  #provider;
  #hopes;
  #watch;
  /** @type {Timeline | undefined} what the provider tells may come late */
  #previous;
  #moved = false; // the provider's clock
  /** @type {string[]} the faults that this page asked for */
  #faults = [];

  /**
   * @param {typeof import("oidc-client-ts")} oidc
   * @param {import("./config.js").Config} config
   * @param {Provider} provider
   */
  constructor(oidc, config, provider) {
    this.#oidc = oidc;
    this.#config = config;
    this.#provider = provider;
    this.#hopes = /** @type {Hopes | undefined} */ (undefined);
    const nothing = { issuer: config.issuer, clientId: "", telling: tellings.spa };
    this.timeline = new Timeline(document.createElement("div"), nothing); // until the first lesson
    this.#watch = new Watch(unseenSteps(), this.timeline, config.issuer, {
      begin: () => undefined,
      stuck: () => this.#hopes?.stuck?.(),
      page: (problem) => this.#hopes?.page?.(problem),
      answer: (answer) => void tellCallback(provider, answer),
    });
    void provider.watch((event) => {
      for (const timeline of [this.#previous, this.timeline]) timeline?.hear(event);
    });
  }

  /** Another diagram, for what comes next. @param {Hopes} hopes */
  open(hopes) {
    this.#hopes = hopes;
    this.timeline.close();
    this.#previous = this.timeline;
    this.timeline = new Timeline(hopes.diagram, {
      issuer: this.#config.issuer,
      clientId: hopes.client,
      telling: hopes.client === "web" ? tellings.web : tellings.spa,
      blame: hopes.blame,
      prefer: ({ reasons }) => reasons?.some(({ code }) => code === hopes.reason) ?? false, // none, when none is expected
    });
    this.#watch.timeline = this.timeline;
  }

  /** The address of the metadata, new each time: the browser's cache must not answer. */
  freshMetadata() {
    return `${this.#config.issuer}/.well-known/openid-configuration?at=${Date.now()}`;
  }

  /** @param {string} path of this app */
  at(path) {
    return location.origin + path;
  }

  /** @param {"POST" | "PUT" | "DELETE"} method @param {string} path @param {object} [body] */
  send(method, path, body) {
    return this.#provider.send(method, path, body);
  }

  /** Asks the provider to be wrong, for two minutes at most. @param {{client?: string, fault: string, endpoint?: string, lifetime?: string}} wrong */
  async fault(wrong) {
    const { id } = await this.send("POST", "/faults", { ...wrong, for: "2m" });
    this.#faults.push(id);
  }

  /** Moves the provider's clock ahead. @param {string} time such as 10m */
  async forward(time) {
    this.#moved = true;
    await this.send("POST", "/clock", { forward: time });
  }

  /** Takes away whatever this page broke. */
  async repair() {
    if (this.#moved) await this.send("POST", "/clock", { real: true });
    this.#moved = false;
    for (const id of this.#faults.splice(0)) await this.send("DELETE", `/faults/${id}`).catch(() => undefined); // it has ended by itself
  }

  /** Registers an address of this app for the client spa. @param {string} path */
  register(path) {
    return this.send("POST", "/clients/spa/redirect_uris", { redirect_uri: this.at(path) });
  }

  /** Takes it out again, so that the lesson can be repeated. @param {string} path */
  async unregister(path) {
    const { clients } = await this.#provider.get("/clients");
    const spa = clients.map((/** @type {{client: Client}} */ { client }) => client).find(isSpa);
    const others = spa.redirect_uris.filter((/** @type {string} */ uri) => new URL(uri).pathname !== path);
    if (others.length < spa.redirect_uris.length)
      await this.send("PUT", "/clients", { client_id: "spa", redirect_uris: others });
  }

  /** One renewal by oidc-client-ts, and the API with what it brought. @param {Settings} [change] of the app's settings */
  async renew(change = {}) {
    const manager = this.#manager(change);
    try {
      const user = await manager.signinSilent();
      if (!user) throw new Error("oidc-client-ts gave no user");
      this.#watch.succeeded(user);
      await this.callApi(user.access_token);
    } catch (error) {
      this.#watch.failed(problemOf(error));
      throw error;
    } finally {
      this.#watch.running = false;
    }
  }

  /**
   * Lets the browser give hidden iframes the cookie, and renews by one. Without FedCM it renews by a refresh token.
   *
   * @returns {Promise<string>} how it went
   */
  async giveCookie() {
    const manager = this.#manager({});
    const ladder = new RenewalLadder(this.#oidc, manager);
    const { fedcm } = await ladder.capabilities();
    if (!fedcm.possible) {
      await ladder.take("refresh_token");
      return "This browser has no FedCM. A refresh token renewed, without any cookie.";
    }
    await ladder.take("fedcm");
    await this.renew();
    return "After one sign-in by FedCM the browser gave the hidden iframe the cookie: the renewal was real.";
  }

  /** The same with another callback page. @param {string} path of this app @param {Settings} [change] */
  renewAt(path, change = {}) {
    const renewed = () => this.renew({ ...change, silent_redirect_uri: this.at(path) });
    return this.register(path).then(renewed);
  }

  /**
   * Renews when the library decides, for some seconds.
   *
   * @param {number} seconds
   * @returns {Promise<number[]>} when each renewal ended, in milliseconds after the start
   */
  async renewAutomatically(seconds) {
    const manager = this.#manager({ automaticSilentRenew: true });
    const begun = performance.now();
    /** @type {number[]} */
    const times = [];
    manager.events.addUserLoaded((user) => {
      times.push(performance.now() - begun);
      this.#watch.succeeded(user);
    });
    await manager.signinSilent();
    manager.startSilentRenew();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    manager.stopSilentRenew();
    await manager.removeUser();
    return times;
  }

  /** One renewal by the server-side app. */
  async renewAtServer() {
    const { status, body, description } = await renewSilently({
      steps: unseenSteps(),
      timeline: this.timeline,
      issuer: this.#config.issuer,
      stuck: () => this.#hopes?.stuck?.(),
      page: (problem) => this.#hopes?.page?.(problem),
      answer: (answer) => void tellCallback(this.#provider, answer),
    });
    if (status === 200) return this.#serverCallsApi();
    this.timeline.add({
      step: 3,
      from: "server",
      to: "server",
      text: `The app's server refuses: ${body.error}`,
      state: "failed",
    });
    this.timeline.end("failed");
    throw new Refused({ ...fromWire(body), reason: reasonIn(description) });
  }

  async #serverCallsApi() {
    this.timeline.add({
      step: 3,
      from: "server",
      to: "server",
      text: "The app's server checked the new tokens and keeps them",
    });
    this.timeline.end("done");
    await this.#call("server", "by the app's server, with its access token", async () => {
      const { status } = await (await fetch("/web/call-api")).json();
      return status;
    });
  }

  /** The protocol alone, without the library's iframe. */
  client() {
    return new this.#oidc.OidcClient({ ...this.#settings({}), stateStore: this.#watch.stateStore(this.#oidc) });
  }

  /** @param {Settings} change */
  #manager(change) {
    const own = { ...this.#settings(change), stateStore: this.#watch.stateStore(this.#oidc) };
    return new this.#oidc.UserManager(own, undefined, undefined, hiddenFrames(this.#oidc, own.authority));
  }

  /** The app's own settings, with a memory of its own: the single-page app keeps its session. @param {Settings} change */
  #settings(change) {
    const userStore = new this.#oidc.WebStorageStateStore({ store: new this.#oidc.InMemoryWebStorage() });
    return { ...settings(this.#config), automaticSilentRenew: false, userStore, ...change };
  }

  /** (4) by this page. @param {string} accessToken */
  async callApi(accessToken) {
    await this.#call("app", "with the access token", async () => (await callApi(accessToken)).status);
    this.timeline.end("done");
  }

  /** (4) @param {"app" | "server"} from @param {string} how @param {() => Promise<number>} call gives the status of the answer */
  async #call(from, how, call) {
    const start = performance.now();
    const request = "GET /api/me";
    this.timeline.add({ step: 4, from, to: "api", text: `${request} ${how}`, request });
    const status = await call();
    this.timeline.add({
      step: 4,
      from: "api",
      to: from,
      text: `The API answered ${status}`,
      took: performance.now() - start,
    });
    if (status !== 200) throw new Error(`the API answered ${status}`);
  }
}

/** @param {Client} client */
function isSpa(client) {
  return client.client_id === "spa";
}

/** The states of the four steps, for code that observes a renewal without showing them. */
function unseenSteps() {
  /** @type {Map<number, import("./steps.js").State>} */
  const states = new Map();
  return {
    begin: () => states.clear(),
    set: (/** @type {number} */ n, /** @type {import("./steps.js").State} */ state) => void states.set(n, state),
    add: () => undefined,
    refuse: () => undefined,
    stateOf: (/** @type {number} */ n) => states.get(n),
  };
}
