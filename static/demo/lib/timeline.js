// One renewal on one clock: what this page saw of it, and what the provider saw, in one sequence diagram.
//
//   this page       iframe added, postMessage, the library's events ──┐
//                                                                     ├─▶ by time ─▶ shared/diagram.js
//   the provider    authorize, token, userinfo (event stream) ────────┘
//
// The two are joined by `state`, which this page chose and the provider received. Both programs run on one machine,
// so their clocks agree; the trace goes by the real one even when the provider's own clock has been moved.

import { drawFlow } from "../../shared/diagram.js";
import { drawingOf } from "./drawing.js";

/**
 * @typedef {import("../../shared/diagram.js").Flow} Flow
 * @typedef {import("../../shared/diagram.js").Message} Message
 * @typedef {import("../../shared/diagram.js").Reasoned} Reasoned
 * @typedef {import("../../shared/diagram-details.js").Record} Record
 */

/** The records that were not requests to the provider: an app reported them. */
const reported = new Set(["callback", "api", "clock"]);

/**
 * @typedef {object} Seen what this page saw
 * @property {1 | 2 | 3 | 4} step
 * @property {import("../../shared/diagram.js").Lane} from
 * @property {import("../../shared/diagram.js").Lane} to
 * @property {string} text
 * @property {string} [request] the request that it stands for, such as "GET /api/me"; the text begins with it
 * @property {import("../../shared/diagram.js").State} [state] default: done
 * @property {number} [took] milliseconds
 * @property {number} [when] as performance.now() counts; default: now
 * @property {boolean} [again] the provider sees it too: leave it out when the provider's view is there
 * @property {[import("../../shared/diagram.js").Lane, import("../../shared/diagram.js").Lane]} [causes] the lanes of the
 *   request of the same step that this one leads to: an inferred message is at most as late as that
 */

/** @typedef {Message & Pick<Seen, "again" | "causes">} Noted */

/**
 * @typedef {object} Options
 * @property {string} issuer
 * @property {string} clientId
 * @property {import("../../shared/renewal.js").Telling} telling whose lanes and steps it has
 * @property {(reasons: Reasoned[]) => void} [drawn] told at each drawing: the reasons of the renewal that is drawn
 * @property {(reasons: Reasoned[], flow: Flow) => void} [blame] told when the provider has found a reason
 * @property {(flow: Flow) => boolean} [prefer] among the flows that began since, take this one rather than that of the state
 */

export class Timeline {
  #element;
  #options;
  /** @type {Noted[]} */
  #seen = [];
  /** @type {Noted[]} what led to the next renewal */
  #before = [];
  /** @type {Map<string, {flow: Flow, records: Map<string, Record>}>} the provider's flows since the renewal began */
  #flows = new Map();
  #begun = 0; // milliseconds since 1970
  #state = "";
  /** @type {Flow["state"]} */
  #result = "open";
  #closed = Number.POSITIVE_INFINITY; // milliseconds since 1970
  #drawSoon = drawingOf(() => this.#drawNow());

  /**
   * @param {HTMLElement} element to draw into
   * @param {Options} options
   */
  constructor(element, options) {
    this.#element = element;
    this.#options = options;
  }

  /** A new renewal: what was seen of the last one is forgotten. */
  begin() {
    this.#begun = now();
    this.#seen = this.#before.splice(0);
    this.#flows.clear();
    this.#state = "";
    this.#result = "open";
    this.#draw();
  }

  /**
   * Something that will lead to a renewal.
   *
   * @param {Seen} seen
   */
  before(seen) {
    this.#before = [message(seen)];
  }

  /** @param {Seen} seen */
  add(seen) {
    this.#seen.push(message(seen));
    this.#draw();
  }

  /**
   * The state of the request, by which the provider's part is found.
   *
   * @param {string} state
   */
  request(state) {
    this.#state = state;
    this.#draw();
  }

  /** @param {"done" | "failed"} result */
  end(result) {
    this.#result = result;
    this.#draw();
  }

  /** What begins from now on is none of its business; what belongs to it may still come. */
  close() {
    this.#closed = now();
  }

  /** How long the renewal has lasted, in milliseconds. */
  get age() {
    return Math.round(now() - this.#begun);
  }

  /**
   * What the provider saw.
   *
   * @param {{flow: Flow, record?: Record, gone?: string[]}} event gone are ids of flows that are parts of this one
   */
  hear({ flow, record, gone = [] }) {
    if (!this.#concerns(flow)) return;
    const known = this.#flows.get(flow.id) ?? { flow, records: new Map() };
    known.flow = flow;
    const parts = gone.flatMap((id) => [...(this.#flows.get(id)?.records.values() ?? [])]);
    for (const id of gone) this.#flows.delete(id);
    for (const each of [record, ...parts, ...(flow.records ?? [])]) if (each) known.records.set(each.id, each);
    this.#flows.set(flow.id, known);
    this.#draw();
    if (flow.reasons?.length && this.#mine()?.flow === flow) this.#options.blame?.(flow.reasons, flow);
  }

  /** @param {Flow} flow */
  #concerns(flow) {
    const { clientId } = this.#options;
    const at = Date.parse(flow.at);
    const ours = this.#begun - 50 < at && at < this.#closed; // the two clocks are read at different moments
    return this.#begun > 0 && ours && (flow.client_id ?? clientId) === clientId;
  }

  /** The provider's flow of this renewal, if it has been heard of. */
  #mine() {
    const all = [...this.#flows.values()];
    const { prefer } = this.#options;
    const preferred = prefer && all.findLast(({ flow }) => prefer(flow));
    return preferred ?? all.findLast(({ records }) => this.#hasState(records));
  }

  /** @param {Map<string, Record>} records */
  #hasState(records) {
    if (this.#state === "") return true; // not known yet: the server-side app's page learns it with the answer
    const states = [...records.values()].flatMap(({ params }) => params?.filter(({ name }) => name === "state") ?? []);
    return states.some(({ text }) => text === this.#state);
  }

  #draw() {
    this.#drawSoon(this.#result === "open");
  }

  #drawNow() {
    const mine = this.#mine();
    this.#options.drawn?.(mine?.flow.reasons ?? []);
    const { telling } = this.#options;
    if (!mine) return drawFlow(this.#element, this.#alone(), { extra: inOrder(this.#seen), telling });
    const theirs = atServer(mine.flow.messages ?? [], telling);
    const joined = this.#hasState(mine.records) ? join(theirs, this.#seen, mine.records) : [...theirs, ...this.#seen];
    const at = Date.parse(mine.flow.at) < this.#begun ? mine.flow.at : new Date(this.#begun).toISOString(); // times count from here
    const flow = { ...mine.flow, at, messages: inOrder(joined.filter((message) => !this.#isOver(message))) };
    return drawFlow(this.#element, flow, { records: [...mine.records.values()], telling });
  }

  /** Nothing more comes after a failure, whatever the provider still expects. @param {Message} message */
  #isOver({ state }) {
    return this.#result === "failed" && state === "waiting";
  }

  /** A flow of which only this page knows. @returns {Flow} */
  #alone() {
    const { issuer, clientId } = this.#options;
    const at = new Date(this.#begun).toISOString();
    return { id: "page", client_id: clientId, issuer, silent: true, state: this.#result, at, messages: [] };
  }
}

/**
 * The provider does not know whether the app asks from a page or from its server. A client with a server exchanges codes
 * and calls APIs there.
 *
 * @param {Message[]} messages
 * @param {import("../../shared/renewal.js").Telling} telling
 * @returns {Message[]}
 */
function atServer(messages, { lanes }) {
  if (!lanes.some(([lane]) => lane === "server")) return messages;
  const talksTo = (/** @type {string} */ lane) => lane === "provider" || lane === "api";
  return messages.map((message) => {
    if (message.from === "app" && talksTo(message.to)) return { ...message, from: "server" };
    if (message.to === "app" && talksTo(message.from)) return { ...message, to: "server" };
    return message;
  });
}

/**
 * Both views without what would stand there twice: the provider's where both saw it, and this page's where the provider
 * inferred it, or knows it from this page.
 *
 * @param {Message[]} theirs
 * @param {Noted[]} seen
 * @param {Map<string, Record>} records
 */
function join(theirs, seen, records) {
  const ours = new Set(seen.map(({ from, to }) => from + to));
  const isHearsay = (/** @type {Message} */ { state, record }) =>
    state === "unseen" || state === "waiting" || reported.has(records.get(record ?? "")?.endpoint ?? "");
  const rest = theirs.filter((message) => !(ours.has(message.from + message.to) && isHearsay(message)));
  return [...rest, ...seen.filter(({ again }) => !again)];
}

/**
 * By time, and a cause before its effect. The steps of a renewal only go up: what is seen late belongs to the step that is
 * under way.
 *
 * @param {Noted[]} messages
 */
function inOrder(messages) {
  let step = 0;
  const byTime = messages.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
  return causesFirst(byTime).map((message) => {
    if (message.state !== "waiting") step = Math.max(step, message.step);
    return { ...message, step: Math.max(step, message.step) };
  });
}

/**
 * This page infers a message when it hears of it, which may be after the provider saw the effect. The message was sent
 * before that, so it gets the time of its effect.
 *
 * @param {Noted[]} byTime
 */
function causesFirst(byTime) {
  const order = [...byTime];
  for (const cause of byTime) {
    const effect = order.find((message) => message.state !== "waiting" && isEffect(message, cause));
    if (!effect || order.indexOf(effect) > order.indexOf(cause)) continue;
    order.splice(order.indexOf(cause), 1);
    order.splice(order.indexOf(effect), 0, { ...cause, at: effect.at });
  }
  return order;
}

/** @param {Message} message @param {Noted} cause */
function isEffect({ step, from, to }, { step: same, causes }) {
  return causes !== undefined && step === same && from === causes[0] && to === causes[1];
}

/**
 * @param {Seen} seen
 * @returns {Noted}
 */
function message({ state = "done", took, when = performance.now(), ...rest }) {
  const at = new Date(performance.timeOrigin + when).toISOString();
  return { ...rest, state, at, took: took && took * 1e6, source: "browser" };
}

function now() {
  return performance.timeOrigin + performance.now();
}
