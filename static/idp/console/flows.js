// The list of flows, and the chosen one as a sequence diagram.

import { drawFlow } from "../../shared/diagram.js";
import { duration, faultTag, reasonLink, reasonTag, reasonText, reasonTone } from "../../shared/diagram-details.js";
import { byId, link, make, settle } from "../../shared/dom.js";
import { api, change } from "./api.js";
import { checkAddress } from "./check.js";
import { example } from "./example.js";
import { button, clockTime, copyable, say } from "./ui.js";

/** @typedef {import("../../shared/diagram.js").Flow} Flow */
/** @typedef {import("../../shared/diagram.js").Summary} Summary */

const states = {
  open: ["info", "under way"],
  done: ["good", "done"],
  failed: ["bad", "failed"],
};

/** @type {{ [endpoint: string]: string }} what a flow is that begins elsewhere than at /authorize */
const beginnings = {
  login: "Sign-in page",
  select_account: "Account page",
  consent: "Consent page",
  logout: "Sign-out",
  token: "Token request alone",
  userinfo: "Userinfo request alone",
  discovery: "Discovery",
  jwks: "Keys fetched",
};

export class Flows {
  #chosen = "";

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
    byId("silent-only").addEventListener("change", () => this.draw());
    byId("follow").addEventListener("change", () => this.draw());
    byId("forget-flows").addEventListener("click", () => void this.#forget());
  }

  draw() {
    const silentOnly = byId("silent-only", HTMLInputElement).checked;
    const flows = this.store.flows.filter((flow) => flow.silent || !silentOnly);
    const newest = flows[0];
    const followed = byId("follow", HTMLInputElement).checked ? newest : undefined;
    const shown = followed ?? this.store.flow(this.#chosen) ?? newest;
    this.#drawList(flows, shown);
    this.#drawShown(shown);
  }

  /** @param {Flow[]} flows @param {Flow | undefined} shown */
  #drawList(flows, shown) {
    const list = byId("flow-list");
    const old = new Map([...list.children].map((item) => [/** @type {HTMLElement} */ (item).dataset.flow, item]));
    const items = flows.map((flow) => {
      const item = /** @type {HTMLElement} */ (old.get(flow.id) ?? this.#newItem(flow.id));
      fillItem(item, flow);
      item.querySelector("button")?.setAttribute("aria-current", String(flow === shown));
      return item;
    });
    settle(list, items);
  }

  /** @param {string} id */
  #newItem(id) {
    const choice = make("button", "choice flow");
    choice.type = "button";
    choice.addEventListener("click", () => this.choose(id));
    const item = make("li", "", choice);
    item.dataset.flow = id;
    return item;
  }

  /** @param {string} id */
  choose(id) {
    this.#chosen = id;
    byId("follow", HTMLInputElement).checked = false;
    this.draw();
    byId("flow-head").scrollIntoView({ block: "nearest" });
  }

  /** @param {Flow | undefined} flow */
  #drawShown(flow) {
    if (flow && !flow.records) return void this.store.open(flow.id); // and draws again when the flow is there
    byId("flow-empty").hidden = flow !== undefined;
    byId("flow-head").hidden = flow === undefined;
    byId("flow-more").hidden = flow === undefined;
    byId("flow-diagram").classList.toggle("example", flow === undefined);
    drawFlow(byId("flow-diagram"), flow ?? example);
    if (!flow) return;
    byId("flow-head").replaceChildren(...headOf(flow));
    if (byId("flow-more").dataset.flow !== flow.id) byId("flow-more").replaceChildren(...exportsOf(flow));
    byId("flow-more").dataset.flow = flow.id;
  }

  async #forget() {
    await change("DELETE", "/flows");
    this.store.clear();
    say("All flows are forgotten.", "good");
  }
}

/** @param {Summary} flow */
function titleOf(flow) {
  if (flow.silent) return "Silent renewal";
  if (flow.grant_type === "refresh_token") return "Renewal by refresh token";
  return beginnings[flow.begins ?? ""] ?? "Sign-in with a page";
}

/** One line of the list: what, whose, when, how far. @param {HTMLElement} item @param {Summary} flow */
function fillItem(item, flow) {
  const choice = item.querySelector("button");
  const reasons = (flow.reasons ?? []).map(({ code }) => code);
  const faults = flow.faults ?? [];
  const version = JSON.stringify([flow.state, reasons, flow.steps, faults]);
  if (!choice || item.dataset.version === version) return;
  item.dataset.version = version;
  item.dataset.state = flow.state;
  const tags = [...reasons.map((code) => reasonTag(code, reasonTone(flow, code))), ...faults.map(faultTag)];
  choice.replaceChildren(
    make(
      "span",
      "who",
      make("strong", "", titleOf(flow)),
      make("span", "", flow.client_id ?? "no client", " · ", clockTime(flow.at), ` · ${stateOf(flow)[1]}`),
    ),
    ...(flow.silent ? [pips(flow)] : []), // only a renewal has the four steps
    ...(tags.length > 0 ? [make("span", "tags", ...tags)] : []),
  );
}

/** @param {Summary} flow */
function stateOf(flow) {
  return states[flow.state] ?? ["", flow.state];
}

/** The four steps, as far as they came. @param {Summary} flow */
function pips(flow) {
  const row = make("span", "pips");
  row.ariaHidden = "true";
  flow.steps?.forEach((state, i) => {
    const pip = make("span", "pip", String(i + 1));
    pip.dataset.state = state || "idle";
    row.append(pip);
  });
  return row;
}

/** @param {Flow} flow */
function headOf(flow) {
  const [tone = "", words = ""] = stateOf(flow);
  const title = make(
    "h3",
    "",
    `${titleOf(flow)}${flow.client_id ? ` of ${flow.client_id}` : ""} `,
    make("span", `tag ${tone}`, words),
    ...(flow.faults ?? []).map(faultTag),
  );
  const facts = make(
    "p",
    "soft small",
    "began ",
    clockTime(flow.at),
    flow.took ? `, took ${duration(flow.took)}` : "",
    ` · at ${flow.issuer}`,
  );
  return [title, facts, ...(flow.reasons ?? []).map((reason) => why(flow, reason))];
}

/** The reason with its page, and the button that registers a refused address. @param {Flow} flow @param {import("../../shared/diagram.js").Reasoned} reason */
export function why(flow, reason) {
  const code = make("strong", "", reason.code);
  const note = make(
    "p",
    `note ${reasonTone(flow, reason.code)}`,
    code,
    `: ${reasonText(reason)}`,
    reasonLink(flow.issuer, reason.code),
    ...(reason.code === "callback.silent" ? [". ", toCheck(flow.client_id ?? "")] : []),
  );
  note.dataset.reason = reason.code;
  const refused = unregistered(flow, reason.code);
  if (!refused) return note;
  const { client, name, uri } = refused;
  const register = button(`Register ${uri} for ${client}`, async () => {
    await change("POST", `/clients/${encodeURIComponent(client)}/redirect_uris`, { [name]: uri });
    say(`${uri} is registered for ${client} now. The tab Clients has the YAML that keeps it.`, "good");
  });
  register.dataset.register = name;
  return make("div", "stack tight", note, make("p", "", register));
}

/** The way to the tab that looks for what the provider cannot see in a flow. @param {string} client */
function toCheck(client) {
  const a = make("a", "", `Check my app fetches the pages of ${client || "the app"} and looks for the cause`);
  a.href = checkAddress(client);
  return a;
}

/** The address that the provider refused because the client has not registered it. @param {Flow} flow @param {string} code */
function unregistered(flow, code) {
  if (code !== "redirect.unregistered" && code !== "client.unknown") return undefined;
  const record = flow.records?.find(({ reason }) => reason === code);
  const values = new Map(record?.params?.map(({ name, text }) => [name, text]));
  const client = values.get("client_id") ?? flow.client_id;
  const name = values.has("post_logout_redirect_uri") ? "post_logout_redirect_uri" : "redirect_uri";
  const uri = values.get(name);
  return client && uri ? { client, name, uri } : undefined;
}

/** The flow, to take away. @param {Summary} flow */
function exportsOf(flow) {
  const out = make("div", "exported");
  const show = (/** @type {string} */ name, /** @type {string} */ format) => async () => {
    const response = await fetch(`${api}/flows/${flow.id}?format=${format}`);
    out.replaceChildren(copyable(name, await response.text()));
  };
  return [
    button("Mermaid", show("Mermaid sequence diagram", "mermaid")),
    button("Transcript", show("Transcript", "transcript")),
    link(`${api}/flows/${flow.id}`, "JSON"),
    out,
  ];
}
