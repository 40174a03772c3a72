// What the provider told of its flows: all at first, then one event after the other.

import { get } from "./api.js";

/** @typedef {import("../../shared/diagram.js").Flow} Flow */
/** @typedef {import("../../shared/diagram-details.js").Record} Record */
/** @typedef {Flow & { records: Record[] }} WholeFlow */

const maxFlows = 200; // the provider stores as many

export class Store {
  /** @type {Map<string, WholeFlow>} by id, oldest first */
  #flows = new Map();
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

  /** @param {string} id */
  flow(id) {
    return this.#flows.get(id);
  }

  /** EventSource comes back by itself; what was missed meanwhile is fetched. */
  watch() {
    const source = new EventSource("/console/events");
    source.addEventListener("open", () => {
      this.connected(true);
      void this.load();
    });
    source.addEventListener("error", () => this.connected(false));
    source.addEventListener("flow", (event) => this.#take(JSON.parse(event.data)));
    addEventListener("pagehide", () => source.close());
  }

  async load() {
    const { flows } = await get("/flows");
    this.#flows = new Map(
      flows.reverse().map((/** @type {Flow} */ flow) => [flow.id, { ...flow, records: flow.records ?? [] }]),
    );
    this.#schedule();
  }

  clear() {
    this.#flows.clear();
    this.#schedule();
  }

  /** @param {{ flow: Flow, record: Record }} event */
  #take({ flow, record }) {
    const records = this.#flows.get(flow.id)?.records ?? [];
    const others = records.filter(({ id }) => id !== record.id);
    this.#flows.set(flow.id, { ...flow, records: [...others, record] });
    const oldest = this.#flows.keys().next().value;
    if (this.#flows.size > maxFlows && oldest) this.#flows.delete(oldest);
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
