// One request of a flow: its fields, its text before it is sent, the answer, and the rule that decided.

import { checks, reasonLink, values } from "../../shared/diagram-details.js";
import { link, make } from "../../shared/dom.js";
import { why } from "./flows.js";
import { Fields } from "./try-fields.js";
import { addressOf, formEncoded, sendByFrame, sendByItself, sendByWindow } from "./try-send.js";
import { valuesFor } from "./try-values.js";
import { button, copyable } from "./ui.js";

/** @typedef {import("./try-send.js").Request} Request */
/** @typedef {import("./try-fields.js").Pair} Pair */
/** @typedef {import("../../shared/diagram.js").Flow} Flow */
/** @typedef {import("../../shared/diagram.js").Record} Record */

/** A kind of request, as GET /console/requests describes it. @typedef {{ name: string, method: string, address: string, parameters: import("./try-fields.js").Parameter[] }} Kind */

/**
 * The functions of the tab that a step calls.
 * @typedef {object} Tab
 * @property {() => Set<string>} records the ids of all records until now
 * @property {(wanted: (flow: Flow) => boolean, signal: AbortSignal) => Promise<Flow>} find waits for a flow
 * @property {(flow: Flow) => void} show draws the flow
 * @property {(values: { [name: string]: string }) => void} check checks a JWT
 * @property {(values: Pair[]) => void} carry fills the values of an answer into the requests after it
 */

const patience = 10_000; // milliseconds that a client waits for a silent answer, as libraries do
const seen = 5_000; // milliseconds until the record of a request is there, at most

export class Step {
  #sending = new AbortController();
  #request = make("pre");
  #curl = make("div");
  #answer = make("div", "stack tight try-answer");
  #status = make("p");

  /** @param {number} number @param {Kind} kind @param {import("./try-values.js").Context} context @param {Tab} tab */
  constructor(number, kind, context, tab) {
    this.kind = kind;
    this.context = context;
    this.tab = tab;
    this.fields = new Fields(kind.parameters, valuesFor(kind.name, context), () => this.#draw());
    const title = `${number}. ${kind.method} ${new URL(kind.address).pathname}`;
    this.#request.tabIndex = 0;
    this.#request.ariaLabel = `The request ${title}`;
    this.#status.role = "status";
    const send = button("Send", () => this.#send(), "button primary");
    send.append(make("span", "visually-hidden", ` ${title}`));
    const curl = make("details", "", make("summary", "small", "As a curl command"), this.#curl);
    const request = make("div", "stack tight", make("h4", "", "The request"), this.#request, curl, make("p", "", send));
    const messages = make("div", "stack", request, this.#answer);
    request.append(this.#status);
    const halves = make("div", "try-halves", this.fields.element, messages);
    this.element = make("li", "card flat stack", make("h3", "mono", title), halves);
    this.element.dataset.kind = kind.name;
    this.#draw();
  }

  /** @param {string} name @param {string} value */
  fill(name, value) {
    this.fields.fill(name, value);
    this.#draw();
  }

  /** Stops waiting for answers and records. */
  stop() {
    this.#sending.abort();
  }

  get #built() {
    const { method, client, secret } = this.context;
    const isBasic = method === "client_secret_basic" && this.kind.method === "POST";
    return {
      method: this.kind.method,
      address: this.kind.address,
      pairs: this.fields.pairs,
      ...(isBasic && { basic: { user: client.client_id, password: secret } }),
    };
  }

  /** Shows the request as it will be sent. */
  #draw() {
    const request = this.#built;
    this.#request.textContent = inLines(request);
    this.#curl.replaceChildren(copyable("curl", curlOf(request)));
  }

  async #send() {
    this.#sending.abort();
    this.#sending = new AbortController();
    this.#answer.replaceChildren();
    this.#draw();
    const request = this.#built;
    if (lacksSecret(request)) {
      this.#status.textContent = "Type the client_secret first. Nothing was sent.";
      return;
    }
    this.#status.textContent = "Sent. The answer has not come yet.";
    if (this.kind.method === "GET") await this.#sendByBrowser(request, this.#sending.signal);
    else await this.#sendByItself(request, this.#sending.signal);
  }

  /** @param {Request} request @param {AbortSignal} signal */
  async #sendByItself(request, signal) {
    const { id, status, headers, body } = await sendByItself(request);
    const text = make("pre", "", inJSON(body));
    text.tabIndex = 0;
    text.ariaLabel = "Body of the answer";
    const members = membersOf(body);
    const page = members.find(([name]) => name === "verification_uri_complete");
    const next = page && make("p", "", link(page[1], "Open the page for the user: ", make("code", "break", page[1])));
    this.#show(status, [values(headers.map(asValue)), text, next, this.#checkable(new Map(members))]);
    this.tab.carry(members);
    await this.#explain(
      (record) => record.id === id,
      () => true,
      signal,
    );
  }

  /** The button that checks the ID token of the answer. @param {Map<string, string>} members */
  #checkable(members) {
    const token = members.get("id_token");
    if (!token) return null;
    const { client, flow, fresh } = this.context;
    const check = button("Check the ID token", () => {
      const nonce = flow.kinds.includes("authorization_code") ? fresh.nonce : "";
      const access_token = members.get("access_token") ?? "";
      this.tab.check({ token, access_token, nonce, client_id: client.client_id });
      return Promise.resolve();
    });
    return make("p", "", check);
  }

  /** @param {Request} request @param {AbortSignal} signal */
  async #sendByBrowser(request, signal) {
    const [before, isSilent] = [this.tab.records(), this.context.flow.silent];
    const send = isSilent ? sendByFrame : sendByWindow;
    const isOurs = (/** @type {Record} */ record) =>
      record.endpoint === "authorize" && !before.has(record.id) && isAbout(record, request.pairs);
    const isOver = (/** @type {Flow} */ flow) =>
      flow.records?.some(isOurs) === true && (isPage(lastOf(flow)) || isElsewhere(lastOf(flow), this.context.callback));
    const ends = [send(addressOf(request), signal), this.tab.find(isOver, signal).then(() => undefined)];
    const outcome = await Promise.race(isSilent ? [...ends, after(patience, undefined)] : ends);
    if (outcome) this.#return(outcome);
    else this.#show(`No answer came to this console${this.#advice}`, []);
    await this.#explain(isOurs, (flow) => !outcome || isAnswered(lastOf(flow)), signal);
    if (isSilent) this.stop(); // and the iframe is removed
  }

  /** What to do if the client has no redirect URI at this console. */
  get #advice() {
    const { client, callback } = this.context;
    if (client.redirect_uris.includes(callback)) return "";
    return `. Register its address for ${client.client_id} with the button above, and send the request again.`;
  }

  /** @param {import("./try-send.js").Returned} returned */
  #return({ url, params }) {
    const all = params.flatMap(unpacked);
    const address = url && make("p", "request mono break", url.replace(/[?#].*/, ""));
    const failed = all.find(([name]) => name === "error");
    this.#show(failed ? `The answer is the error ${failed[1]}` : "The browser came back with an answer", [
      address,
      values(all.map(asValue)),
    ]);
    this.tab.carry(all);
  }

  /** @param {string} status @param {import("../../shared/dom.js").Child[]} parts */
  #show(status, parts) {
    this.#status.textContent = status;
    this.#answer.replaceChildren(make("h4", "", "The answer"), ...parts.flatMap((part) => part || []));
  }

  /**
   * Shows the checks of the provider, when its record is there.
   * @param {(record: Record) => boolean} isOurs
   * @param {(flow: Flow) => boolean} isWhole
   * @param {AbortSignal} signal
   */
  async #explain(isOurs, isWhole, signal) {
    const found = this.tab.find((flow) => flow.records?.some(isOurs) === true && isWhole(flow), signal);
    const flow = await Promise.race([found, after(seen, undefined)]);
    if (!flow) {
      this.#answer.append(make("p", "soft", "The provider has no record of this request."));
      return;
    }
    const ours = flow.records?.filter(({ endpoint }) => endpoint === this.#endpoint) ?? [];
    const record = ours.find(isOurs) && this.kind.method === "POST" ? ours.find(isOurs) : ours.at(-1);
    if (record) this.#answer.append(...decision(flow, record));
    this.tab.show(flow);
  }

  get #endpoint() {
    return new URL(this.kind.address).pathname.split("/").at(-1);
  }
}

/** The checks that decided, and the reason with its page. @param {Flow} flow @param {Record} record */
function decision(flow, record) {
  const reason = flow.reasons?.find(({ code }) => code === record.reason);
  const told = reason && why(flow, reason);
  const went = record.location && make("p", "", `${record.status} to `, make("code", "break", record.location));
  const named = !told && record.reason && make("p", "", reasonLink(flow.issuer, record.reason));
  const checked = checks(record.steps ?? []);
  return [went, told, named, checked && make("h4", "", "The checks of the provider, in their order"), checked].flatMap(
    (part) => part || [],
  );
}

/** Would the client authenticate with an empty secret? @param {Request} request */
function lacksSecret({ pairs, basic }) {
  return basic?.password === "" || pairs.some(([name, value]) => name === "client_secret" && value === "");
}

/** @param {Flow} flow */
function lastOf(flow) {
  return flow.records?.findLast(({ endpoint }) => endpoint === "authorize");
}

/** Did the request end on a page of the provider, and not at the client? @param {Record | undefined} record */
function isPage(record) {
  if (!record || isAnswered(record) || record.asks) return false;
  return record.status >= 400 || (record.silent && record.status === 200);
}

/** Did the answer go to another page than the console's? @param {Record | undefined} record @param {string} callback */
function isElsewhere(record, callback) {
  const isForm = record?.params?.some(({ name, text }) => name === "response_mode" && text.startsWith("form_post"));
  return isAnswered(record) && (isForm || (!!record?.location && record.location !== callback));
}

/** Did the client get a code or an error? @param {Record | undefined} record */
function isAnswered(record) {
  return record?.answer?.some(({ name }) => ["code", "error", "response"].includes(name)) === true;
}

/** Is the record of a request with these parameters? @param {Record} record @param {Pair[]} pairs */
function isAbout(record, pairs) {
  const named = pairs.find(([name]) => name === "state") ?? pairs.find(([name]) => name === "request_uri");
  const [name, value] = named ?? pairs.find(([one]) => one === "client_id") ?? ["", ""];
  return name === "" || record.params?.some((param) => param.name === name && param.text === value) === true;
}

/** A signed answer (JARM) has the parameters inside. @param {Pair} pair @returns {Pair[]} */
function unpacked([name, value]) {
  const claims = name === "response" ? claimsOf(value) : undefined;
  return claims ? [[name, value], ...claims] : [[name, value]];
}

/** @param {string} token @returns {Pair[] | undefined} */
function claimsOf(token) {
  try {
    const payload = atob((token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/"));
    return membersOf(payload);
  } catch {
    return undefined; // it is encrypted, or no JWT
  }
}

/** The members of a JSON object that are text. @param {string} body @returns {Pair[]} */
function membersOf(body) {
  try {
    return Object.entries(JSON.parse(body)).flatMap(([name, value]) =>
      typeof value === "string" ? [[name, value]] : [],
    );
  } catch {
    return []; // a page
  }
}

/** @param {string} body */
function inJSON(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

/** @param {Pair} pair */
function asValue([name, text]) {
  return { name, text };
}

/** @template T @param {number} ms @param {T} value @returns {Promise<T>} */
function after(ms, value) {
  return new Promise((resolve) => setTimeout(resolve, ms, value));
}

/** The request with each parameter on a line. @param {Request} request */
function inLines({ method, address, pairs, basic }) {
  const lines = pairs.map(([name, value]) => `${formEncoded(name)}=${formEncoded(value)}`);
  if (method === "GET")
    return [`GET ${address}`, ...lines.map((line, i) => `  ${i === 0 ? "?" : "&"}${line}`)].join("\n");
  const head = [`POST ${address}`, "Content-Type: application/x-www-form-urlencoded"];
  if (basic) head.push(`Authorization: Basic base64(${formEncoded(basic.user)}:${formEncoded(basic.password)})`);
  return [...head, "", ...lines.map((line, i) => (i === 0 ? line : `&${line}`))].join("\n");
}

/** @param {Request} request */
function curlOf(request) {
  if (request.method === "GET") return `curl -i ${quoted(addressOf(request))}`;
  const { basic } = request;
  const parts = [`curl -i ${quoted(request.address)}`];
  if (basic) parts.push(`-u ${quoted(`${formEncoded(basic.user)}:${formEncoded(basic.password)}`)}`);
  for (const [name, value] of request.pairs) parts.push(`--data-urlencode ${quoted(`${formEncoded(name)}=${value}`)}`);
  return parts.join(" \\\n  ");
}

/** @param {string} text for a POSIX shell */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
