// What the provider told of its flows: summaries at first, then one event after the other. A flow is whole, with its
// messages and records, when somebody has opened it, or when this page saw it from its beginning.

import { api, get } from "./api.js";
import { say } from "./ui.js";

/** @typedef {import("../../shared/diagram.js").Flow} Flow */
/** @typedef {import("../../shared/diagram.js").Summary} Summary */
/** @typedef {import("../../shared/diagram-details.js").Record} Record */

const maxFlows = 200; // the provider stores as many
const maxCookies = 100; // and the provider lists as many

export class Store {
  /** @type {Map<string, Flow>} by id, oldest first */
  #flows = new Map();
  /** @type {Map<string, Record>} by id: the cookies of recent requests */
  #cookies = new Map();
  #opening = "";
  #scheduled = false;

  /**
   * @param {() => void} changed called once for many changes in one frame
   * @param {(live: boolean) => void} connected
   */
  constructor(changed, connected) {
    this.changed = changed;
    this.connected = connected;
  }

  /** Newest first. */
  get flows() {
    return [...this.#flows.values()].reverse();
  }

  /** The records that have cookies. */
  get cookies() {
    return [...this.#cookies.values()];
  }

  /** @param {string} id */
  flow(id) {
    return this.#flows.get(id);
  }

  /** Fetches the whole flow. It is drawn when it is there. @param {string} id */
  async open(id) {
    if (this.#opening === id) return;
    this.#opening = id;
    try {
      await this.#fetch(id);
      this.#schedule();
    } catch (error) {
      say(error instanceof Error ? error.message : String(error), "bad"); // the provider is away, or has forgotten the flow
    }
    this.#opening = "";
  }

  /** @param {string} id */
  async #fetch(id) {
    const known = this.#flows.get(id);
    const whole = await get(`/flows/${id}`);
    if (known === this.#flows.get(id)) this.#flows.set(id, whole);
    else await this.#fetch(id); // an event came meanwhile: the answer may be older
  }

  /** EventSource comes back by itself; what was missed meanwhile is fetched. */
  watch() {
    const source = new EventSource(`${api}/events`);
    source.addEventListener("open", () => {
      this.connected(true);
      void this.load();
    });
    source.addEventListener("error", () => this.connected(false));
    source.addEventListener("flow", (event) => this.#take(JSON.parse(event.data)));
    addEventListener("pagehide", () => source.close());
  }

  async load() {
    const [{ flows }, { records }] = await Promise.all([get("/flows"), get("/cookies")]);
    this.#flows = new Map(flows.reverse().map((/** @type {Summary} */ flow) => [flow.id, flow]));
    this.#cookies = new Map(records.reverse().map((/** @type {Record} */ record) => [record.id, record]));
    this.#schedule();
  }

  clear() {
    this.#flows.clear();
    this.#cookies.clear();
    this.#schedule();
  }

  /** @param {{ flow: Flow, record: Record }} event */
  #take({ flow, record }) {
    const known = this.#flows.get(flow.id);
    const records = known ? known.records : [];
    const others = records?.filter(({ id }) => id !== record.id);
    this.#flows.set(flow.id, { ...flow, records: others && [...others, record] });
    if (record.cookies?.length) this.#cookies.set(record.id, record);
    dropOldest(this.#flows, maxFlows);
    dropOldest(this.#cookies, maxCookies);
    this.#schedule();
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.changed();
    });
  }
}

/** @param {Map<string, unknown>} map @param {number} limit */
function dropOldest(map, limit) {
  const oldest = map.keys().next().value;
  if (map.size > limit && oldest) map.delete(oldest);
}
