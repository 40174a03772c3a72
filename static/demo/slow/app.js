// Slow motion: a real renewal, one press of a button for each message of the picture.
//
//   held.js   the renewal, and the gates that hold it        stops.js  the words of each stop
//   facts.js  the real parameters and checks of each stop    app.js    the player: which stop is shown

import { byId, make } from "../../shared/dom.js";
import { tellings } from "../../shared/renewal.js";
import { loadConfig } from "../lib/config.js";
import { createPicture } from "../lib/picture.js";
import { Provider } from "../lib/provider.js";
import { settings } from "../spa/settings.js";
import { cookieState, factsOf } from "./facts.js";
import { HeldRenewal } from "./held.js";
import { refused, stops } from "./stops.js";

/** @typedef {import("../../shared/diagram-details.js").Record} Record */
/** @typedef {import("./held.js").StopId} StopId */

const pace = 4000; // milliseconds for each stop of a replay

class Player {
  #at = 0; // index of the stop that is shown
  /** @type {HeldRenewal | undefined} */
  #renewal;
  /** @type {Map<string, Record>} what the provider saw, by id */
  #records = new Map();
  #open = false;
  #replay = 0; // the timer's id
  #picture = createPicture(byId("picture"), tellings.spa);

  /**
   * @param {typeof import("oidc-client-ts")} oidc
   * @param {import("../lib/config.js").Config} config
   */
  constructor(oidc, config) {
    this.oidc = oidc;
    this.config = config;
    byId("next").addEventListener("click", () => this.#next());
    byId("back").addEventListener("click", () => this.#go(this.#at - 1));
    byId("again").addEventListener("click", () => this.#again());
    this.#draw();
  }

  /** The provider tells what it saw, if it is in development mode. */
  async watch() {
    const provider = Provider.of(this.config.issuer);
    this.#open = await provider.isOpen();
    await provider.watch(({ record }) => {
      if (record) this.#records.set(record.id, record);
      this.#draw();
    });
  }

  /** The path that this renewal takes. */
  get #path() {
    const answer = this.#renewal?.reached.get("2")?.url;
    const ended = this.#renewal?.reached.has("failed") ?? false;
    if (ended && !answer) return [...stops.slice(0, 2), ...refused.slice(-1)]; // the iframe never came back
    return answer && !new URL(answer).searchParams.has("code") ? refused : stops;
  }

  get #stop() {
    return this.#path[this.#at] ?? stops[0];
  }

  /** Is the renewal as far as the stop that is shown? */
  get #isReached() {
    const id = this.#stop?.id ?? "start";
    return id === "start" || (this.#renewal?.reached.has(id) ?? false);
  }

  #next() {
    this.#stopReplay();
    if (this.#at === this.#path.length - 1) return this.#startReplay();
    if (!this.#renewal) this.#begin();
    else if (this.#stop && this.#stop.id !== "start") this.#renewal.open(this.#stop.id);
    this.#go(this.#at + 1);
  }

  #begin() {
    this.#records.clear();
    this.#renewal = new HeldRenewal(this.oidc, this.config, () => this.#draw());
    void this.#renewal.run();
  }

  #again() {
    this.#stopReplay();
    this.#renewal = undefined;
    this.#go(0);
  }

  /** @param {number} at */
  #go(at) {
    this.#at = Math.min(Math.max(at, 0), this.#path.length - 1);
    this.#draw();
  }

  /** Shows the recorded renewal once more, by itself. */
  #startReplay() {
    this.#go(1);
    this.#replay = window.setInterval(() => {
      this.#go(this.#at + 1);
      if (this.#at === this.#path.length - 1) this.#stopReplay();
    }, pace);
  }

  #stopReplay() {
    clearInterval(this.#replay);
  }

  /** @returns {import("./facts.js").Seen} */
  get #seen() {
    const all = [...this.#records.values()];
    const authorize = all.find(({ params }) =>
      params?.some(({ name, text }) => name === "state" && text === this.#renewal?.state),
    );
    const isExchange = (/** @type {Record} */ { endpoint, flow_id, method }) =>
      endpoint === "token" && method === "POST" && flow_id === authorize?.flow_id;
    return { authorize, token: all.find(isExchange) };
  }

  #draw() {
    const stop = this.#stop;
    if (!stop) return;
    document.body.dataset.stop = this.#isReached ? stop.id : "";
    byId("stop-step").textContent = stepOf(stop);
    byId("stop-title").textContent = stop.title;
    byId("stop-text").replaceChildren(...withCode(stop.text));
    byId("stop-note").hidden = !this.#renewal?.hurried;
    byId("stop-code").replaceChildren(...stop.code.map(codeOf));
    byId("next").textContent = stop.next;
    byId("next", HTMLButtonElement).disabled = !this.#isReached;
    byId("back", HTMLButtonElement).disabled = this.#at === 0;
    byId("again").hidden = !this.#renewal;
    byId("more").hidden = this.#at < this.#path.length - 1;
    this.#drawFacts();
    this.#drawPicture();
  }

  #drawFacts() {
    const id = this.#stop?.id ?? "start";
    const reached = this.#renewal?.reached;
    const facts = { url: reached?.get("2")?.url, ...(id === "start" ? {} : reached?.get(id)) };
    const version = JSON.stringify([id, this.#isReached, facts, this.#seen, this.#open]);
    const element = byId("stop-facts");
    if (element.dataset.version === version) return; // an opened detail stays open
    element.dataset.version = version;
    const known = { facts, seen: this.#seen, config: this.config, open: this.#open };
    element.replaceChildren(
      ...(this.#isReached ? factsOf(id, known) : [make("p", "soft", "Waiting for the answer …")]),
    );
  }

  #drawPicture() {
    for (const { id } of tellings.spa.hops) this.#picture.hop(id, this.#stateOf(id));
    this.#picture.refused(this.#path === refused && this.#at >= 2);
    this.#picture.cookie(this.#at >= 2 ? cookieState(this.#seen.authorize) : "idle");
  }

  /** @param {string} hop */
  #stateOf(hop) {
    if (hop === "2" && this.#at >= 2 && this.#path !== stops) return "failed";
    const place = this.#path.findIndex(({ id }) => id === hop);
    if (place < 0 || this.#at < place) return "idle";
    return this.#at === place ? "active" : "done";
  }
}

/** @param {import("./stops.js").Stop} stop */
function stepOf({ id, step }) {
  if (!step) return "Four steps";
  return /^\d[a-z]$/.test(id) ? `Step ${step} of 4, message ${id}` : `Step ${step} of 4`;
}

/** The nodes of a text, with code elements for what stands between backticks. @param {string} text */
const withCode = (text) => text.split("`").map((part, i) => (i % 2 ? make("code", "", part) : part));

/** @param {import("./stops.js").Stop["code"][number]} code */
function codeOf({ by, file, lines }) {
  const source = make("a", "", by);
  if (file) source.href = `/static/demo/${file}`;
  const text = make("pre", "", lines.join("\n"));
  text.tabIndex = 0;
  return make("figure", "stack tight", make("figcaption", "soft small", "Code of ", file ? source : by), text);
}

/** @param {typeof import("oidc-client-ts")} oidc @param {import("../lib/config.js").Config} config */
async function showSignIn(oidc, config) {
  const manager = new oidc.UserManager({ ...settings(config), automaticSilentRenew: false });
  byId("sign-in").addEventListener("click", () => void manager.signinRedirect({ state: "/slow/" }));
  const user = await manager.getUser();
  document.body.dataset.signedIn = String(user !== null);
  byId("signed-in").textContent = user
    ? `Signed in as ${user.profile.name ?? user.profile.sub}.`
    : "You are not signed in. Sign in first, because a silent renewal needs a session at the provider.";
  byId("sign-in").hidden = user !== null;
  byId("next").classList.toggle("primary", user !== null);
}

const config = await loadConfig();
if (!globalThis.oidc)
  byId("stop-text").textContent = "oidc-client-ts is missing: run npm install and build the demo again.";
else {
  await showSignIn(globalThis.oidc, config);
  await new Player(globalThis.oidc, config).watch();
}
document.body.dataset.ready = "true";
