// The provider's console, as a program uses it: what the provider saw, and its failure lab.

import { request } from "node:http";
import { request as requestSecurely } from "node:https";
import { setTimeout as pause } from "node:timers/promises";

/** @typedef {import("./hush.js").Hush} Hush */
/** @typedef {import("../../static/shared/diagram.js").Flow} Flow */
/** @typedef {import("../../static/shared/diagram.js").Record} Record */
/** @typedef {import("../../static/shared/diagram.js").Summary} Summary */

/** An answer of the provider. @typedef {{ status: number, headers: import("node:http").IncomingHttpHeaders, body: string }} Answer */

/** How long something that must happen may take, in milliseconds. It finds what never happens. */
const timeout = 30_000;

/**
 * Asks the provider directly, without a browser. The name in the issuer may be known to browsers only, so the
 * connection goes to the address and the name into Host.
 * @param {Hush} hush
 * @param {string} path
 * @param {{ method?: string, headers?: { [name: string]: string }, body?: string }} [options]
 * @returns {Promise<Answer>}
 */
export function ask(hush, path, { method = "GET", headers = {}, body = "" } = {}) {
  const sent = { host: new URL(hush.issuer).host, "content-length": String(Buffer.byteLength(body)), ...headers };
  return new Promise((resolve, reject) => {
    const send = hush.idp.startsWith("https:") ? requestSecurely : request;
    const options = { method, headers: sent, timeout, rejectUnauthorized: false }; // the certificate is the provider's own
    const asked = send(`${hush.idp}${path}`, options, (answer) => {
      const chunks = /** @type {Buffer[]} */ ([]);
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString() }),
      );
    });
    asked.on("timeout", () => asked.destroy(new Error(`no answer to ${method} ${path}`)));
    asked.on("error", reject);
    asked.end(body);
  });
}

export class Console {
  #token = "";

  /** @param {Hush} hush */
  constructor(hush) {
    this.hush = hush;
  }

  /** The whole flows, the newest first. @returns {Promise<Flow[]>} */
  async flows() {
    const { flows } = /** @type {{ flows: Summary[] }} */ (await this.read("/console/flows"));
    return Promise.all(flows.map(({ id }) => this.read(`/console/flows/${id}`)));
  }

  /**
   * Waits for a flow. The record of a request is complete a moment after the browser has its answer.
   * @param {(flow: Flow) => boolean} wanted
   * @param {string} what in words, for the error
   */
  async flow(wanted, what) {
    const deadline = AbortSignal.timeout(timeout);
    for (;;) {
      const flows = await this.flows();
      const found = flows.find(wanted);
      if (found) return found;
      if (deadline.aborted) throw new Error(`no flow with ${what} among these:\n${flows.map(inWords).join("\n")}`);
      await pause(25);
    }
  }

  /** Waits for a flow that has a reason. @param {string} code */
  flowWith(code) {
    return this.flow((flow) => codesOf(flow).includes(code), code);
  }

  /** Forgets all flows, faults, and moves of the clock; sign-ins stay. */
  async reset() {
    await this.do("DELETE", "/console/flows");
    await this.do("DELETE", "/console/faults");
    await this.do("POST", "/console/clock", { real: true });
  }

  /** Adds a fault. @param {{ fault: string, [field: string]: unknown }} fault */
  fault(fault) {
    return this.do("POST", "/console/faults", fault);
  }

  /** Moves the provider's clock. @param {string} forward as Go writes durations: 10m */
  forward(forward) {
    return this.do("POST", "/console/clock", { forward });
  }

  /** Reads JSON. @param {string} path */
  async read(path) {
    const { status, body } = await ask(this.hush, path, { headers: { accept: "application/json" } });
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${body}`);
    return JSON.parse(body);
  }

  /** What requests that change something must bring. @returns {Promise<string>} */
  async token() {
    this.#token ||= (await this.read("/console/token")).csrf; // it lives as long as the provider
    return this.#token;
  }

  /**
   * Changes something, with the token that this needs.
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   */
  async do(method, path, body) {
    const headers = { "content-type": "application/json", "x-hush-csrf": await this.token() };
    const sent = body === undefined ? "" : JSON.stringify(body);
    const answer = await ask(this.hush, path, { method, headers, body: sent });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`);
    return answer.body === "" ? undefined : JSON.parse(answer.body);
  }
}

/** @param {Flow} flow */
export function codesOf(flow) {
  return (flow.reasons ?? []).map(({ code }) => code);
}

/** The records of a flow at one endpoint. @param {Flow} flow @param {string} endpoint */
export function recordsAt(flow, endpoint) {
  return (flow.records ?? []).filter((record) => record.endpoint === endpoint);
}

/** The steps of a record, each in one word and its outcome. @param {Record | undefined} record */
export function stepsOf(record) {
  return (record?.steps ?? []).map(({ kind, outcome }) => `${kind} ${outcome}`);
}

/** @param {Flow} flow */
function inWords(flow) {
  const records = (flow.records ?? []).map(({ endpoint, status, reason }) => `${endpoint} ${status} ${reason ?? ""}`);
  return `- ${flow.client_id ?? ""}${flow.silent ? " silent" : ""} ${flow.state} [${codesOf(flow)}]: ${records.join(", ")}`;
}
