// The failure lab: which faults wait, the form that adds one, and the clock.

import { byId, make } from "../../shared/dom.js";
import { change, get } from "./api.js";
import { attempt, button, clockTime, say, setOptions } from "./ui.js";

/**
 * @typedef {{ kind: string, text: string, endpoints: string[], needs?: string[], spec?: string }} KindInfo
 * @typedef {{ id: string, client?: string, endpoint: string, fault: string, times: number, until?: string, used: number,
 *   ended?: string, error?: string, status?: number, delay?: string, lifetime?: string, user?: string }} Fault
 */

const endings = { used_up: "used up", expired: "its time is over", cancelled: "cancelled" };

export class Lab {
  /** @type {KindInfo[]} */
  #kinds = [];

  constructor() {
    const form = byId("fault-form", HTMLFormElement);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void attempt(() => this.#add(new FormData(form)));
    });
    byId("fault-kind").addEventListener("change", () => this.#adapt());
    byId("faults-clear").addEventListener("click", () => void attempt(() => this.#cancel("/faults")));
  }

  async load() {
    const [{ kinds }, { clients }, { users }] = await Promise.all([
      get("/faults/kinds"),
      get("/clients"),
      get("/users"),
    ]);
    this.#kinds = kinds;
    setOptions(
      byId("fault-kind", HTMLSelectElement),
      kinds.map((/** @type {KindInfo} */ { kind, text }) => ({ value: kind, text: nameOf(kinds, kind, text) })),
    );
    const ids = clients.map((/** @type {any} */ { client }) => ({ value: client.client_id, text: client.client_id }));
    setOptions(byId("fault-client", HTMLSelectElement), [{ value: "", text: "any client" }, ...ids]);
    const subs = users.map((/** @type {any} */ { sub, username }) => ({ value: sub, text: username }));
    setOptions(byId("fault-user", HTMLSelectElement), [{ value: "", text: "anybody else" }, ...subs]);
    this.#adapt();
    await this.refresh();
  }

  async refresh() {
    const { faults, ended } = await get("/faults");
    byId("fault-list").replaceChildren(...faults.map((/** @type {Fault} */ fault) => this.#item(fault)));
    byId("fault-ended").replaceChildren(...ended.map((/** @type {Fault} */ fault) => this.#item(fault)));
    byId("no-faults").hidden = faults.length > 0;
    byId("faults-clear").hidden = faults.length === 0;
    byId("faults-over").hidden = ended.length === 0;
    byId("fault-count").hidden = faults.length === 0;
    byId("fault-count").textContent = String(faults.length);
  }

  /** Shows the fields that the chosen kind takes. */
  #adapt() {
    const kind = this.#kinds.find((info) => info.kind === byId("fault-kind", HTMLSelectElement).value);
    if (!kind) return;
    setOptions(
      byId("fault-endpoint", HTMLSelectElement),
      kind.endpoints.map((name) => ({ value: name, text: name })),
    );
    byId("fault-hint").replaceChildren(
      `… ${kind.text}. `,
      kind.spec ? `${kind.spec}. ` : "",
      "Over HTTP: ",
      make("code", "", kind.kind),
    );
    for (const field of document.querySelectorAll("[data-need]"))
      if (field instanceof HTMLElement) field.hidden = !kind.needs?.includes(field.dataset.need ?? "");
  }

  /** @param {FormData} form */
  async #add(form) {
    const needs = this.#kinds.find((info) => info.kind === form.get("fault"))?.needs ?? [];
    const times = String(form.get("times"));
    await change("POST", "/faults", {
      fault: form.get("fault"),
      endpoint: form.get("endpoint"),
      client: form.get("client") || undefined,
      ...(/^\d+$/.test(times) ? { times: Number(times) } : { for: times }),
      ...Object.fromEntries(needs.map((need) => [need, needed(form, need)])),
    });
    await this.refresh();
    say("The fault waits for its request.", "good");
  }

  /** @param {string} path */
  async #cancel(path) {
    await change("DELETE", path);
    await this.refresh();
  }

  /** @param {Fault} fault */
  #item(fault) {
    const info = this.#kinds.find(({ kind }) => kind === fault.fault);
    const item = make(
      "li",
      "row spread",
      make(
        "p",
        "who",
        make("strong", "", fault.fault),
        make("span", "", `the provider ${info?.text ?? ""}`),
        facts(fault),
      ),
      !fault.ended && button("Cancel", () => this.#cancel(`/faults/${fault.id}`)),
    );
    item.dataset.fault = fault.fault;
    return item;
  }
}

/** @param {FormData} form @param {string} need */
function needed(form, need) {
  const value = String(form.get(need));
  if (need === "status") return Number(value);
  return value || undefined;
}

/** @param {Fault} fault */
function facts(fault) {
  const { delay, lifetime, error, status, user } = fault;
  const with_ = [error, status, delay, lifetime, user].filter(Boolean).join(", ");
  const limit = fault.times ? ` of ${fault.times}` : "";
  return make(
    "span",
    "",
    `at ${fault.endpoint} for ${fault.client ?? "any client"}${with_ && ` (${with_})`}; happened ${fault.used}${limit} times`,
    fault.until ? make("span", "", ", until ", clockTime(fault.until)) : "",
    fault.ended ? `; ${endings[/** @type {keyof typeof endings} */ (fault.ended)] ?? fault.ended}` : "",
  );
}

/** Its first words; where two have the same, also what it is called. @param {KindInfo[]} kinds @param {string} kind @param {string} text */
function nameOf(kinds, kind, text) {
  const name = clip(text);
  const shared = kinds.filter((other) => clip(other.text) === name).length > 1;
  return shared ? `${name} (${kind})` : name;
}

/** @param {string} text */
function clip(text) {
  const first = /^[^,]+/.exec(text)?.[0] ?? text;
  return first.length > 70 ? `${first.slice(0, 67)}…` : first;
}
