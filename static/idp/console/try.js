// Try it: requests by hand, step by step through a flow.

import { drawFlow } from "../../shared/diagram.js";
import { byId } from "../../shared/dom.js";
import { api, change, get } from "./api.js";
import { JWTCheck } from "./try-jwt.js";
import { TokenPreview } from "./try-preview.js";
import { Step } from "./try-step.js";
import { flowKinds, freshValues, redirectOf } from "./try-values.js";
import { attempt, say, setOptions } from "./ui.js";

/** @typedef {import("./clients.js").Client} Client */
/** @typedef {import("../../shared/diagram.js").Flow} Flow */

/** The address of the page to which answers come. The client must have registered it. */
const callback = `${byId("console").dataset.issuer}${api.slice(api.lastIndexOf("/"))}/callback`;

export class Try {
  /** @type {import("./try-step.js").Kind[]} */
  #kinds = [];
  /** @type {Client[]} */
  #clients = [];
  /** @type {import("./try-values.js").Used[]} */
  #used = [];
  /** @type {Step[]} */
  #steps = [];
  #jwt = new JWTCheck();
  #preview = new TokenPreview();
  /** @type {Set<() => void>} called after each change of the store */
  #waiting = new Set();
  /** @type {Map<string, string>} values from answers, by parameter */
  #carried = new Map();
  #built = ""; // the choices that the steps were made of
  #shown = ""; // the id of the flow

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
    setOptions(
      select("try-flow"),
      flowKinds.map(({ name, title }) => ({ value: name, text: title })),
    );
    for (const id of ["try-flow", "try-client", "try-user", "try-method"])
      byId(id).addEventListener("change", () => void attempt(() => this.#build(id === "try-client")));
    byId("try-choice").addEventListener("submit", (event) => event.preventDefault());
    byId("try-secret").addEventListener("input", () => this.#fillSecret());
    byId("try-again").addEventListener("click", () => void attempt(() => this.#build(false, true)));
    byId("try-register-now").addEventListener("click", () => void attempt(() => this.#register()));
    byId("try-sign-in").addEventListener("click", () => void attempt(() => this.#signIn()));
  }

  async load() {
    const [{ clients }, { users }, { kinds, redirect_uris }] = await Promise.all(
      ["/clients", "/users", "/requests"].map((path) => get(path)),
    );
    this.#kinds = kinds;
    this.#used = redirect_uris;
    this.#clients = clients.map((/** @type {{ client: Client }} */ { client }) => client);
    setOptions(
      select("try-client"),
      this.#clients.map(({ client_id }) => ({ value: client_id, text: client_id })),
    );
    this.#preview.offer(this.#clients, users);
    this.#jwt.offer(this.#clients.map(({ client_id }) => client_id));
    setOptions(select("try-user"), [
      { value: "", text: "any" },
      ...users.map((/** @type {{ username: string }} */ { username }) => ({ value: username, text: username })),
    ]);
    await this.#build(this.#built === "");
  }

  /** The store changed. */
  draw() {
    for (const look of [...this.#waiting]) look();
    const flow = this.store.flow(this.#shown);
    if (!flow) return;
    if (!flow.records) return void this.store.open(flow.id);
    drawFlow(byId("try-diagram"), flow);
  }

  /** Makes the steps of the chosen flow, unless they are there already. @param {boolean} otherClient @param {boolean} [anew] */
  async #build(otherClient, anew = false) {
    const client = this.#clients.find(({ client_id }) => client_id === select("try-client").value);
    const flow = flowKinds.find(({ name }) => name === select("try-flow").value);
    if (!client || !flow) return;
    if (otherClient) select("try-method").value = methodOf(client);
    byId("try-secret-field").hidden = select("try-method").value === "none";
    const [user, method, secret] = [select("try-user").value, select("try-method").value, secretField().value];
    const used = this.#used.find(({ client_id }) => client_id === client.client_id);
    const choices = JSON.stringify([client, flow.name, user, method, redirectOf({ client, callback, flow, used })]);
    if (choices === this.#built && !anew) return;
    this.#built = choices;
    this.#describe(client, flow, user);
    const context = {
      client,
      flow,
      user,
      method,
      secret,
      callback,
      used,
      fresh: await freshValues(),
      carried: this.#carried,
    };
    for (const step of this.#steps) step.stop();
    this.#steps = flow.kinds.flatMap((name, i) => {
      const kind = this.#kinds.find((one) => one.name === name);
      return kind?.address ? new Step(i + 1, kind, context, this.#tabFor(i)) : [];
    });
    byId("try-steps").replaceChildren(...this.#steps.map(({ element }) => element));
  }

  /** Describes the choices. @param {Client} client @param {import("./try-values.js").FlowKind} flow @param {string} user */
  #describe(client, flow, user) {
    byId("try-flow-hint").textContent = flow.hint;
    byId("try-client-hint").textContent =
      `Registered: ${client.token_endpoint_auth_method || "client_secret_basic or client_secret_post"}.`;
    byId("try-sign-in").hidden = user === "";
    byId("try-sign-in").textContent = `Sign ${user} in here, without a page`;
    byId("try-register").hidden = client.redirect_uris.includes(callback) || !flow.kinds.includes("authorize");
    byId("try-register-now").textContent = `Register ${callback} for ${client.client_id}`;
  }

  /** @param {number} index of the step @returns {import("./try-step.js").Tab} */
  #tabFor(index) {
    return {
      records: () => new Set(this.store.flows.flatMap(({ records }) => (records ?? []).map(({ id }) => id))),
      find: (wanted, signal) => this.#find(wanted, signal),
      show: (flow) => this.#show(flow),
      check: (values) => this.#jwt.fill(values),
      carry: (values) => {
        for (const [name, value] of values) this.#carried.set(name, value);
        for (const step of this.#steps.slice(index + 1)) for (const [name, value] of values) step.fill(name, value);
      },
    };
  }

  /** Waits for a flow of the store. @param {(flow: Flow) => boolean} wanted @param {AbortSignal} signal @returns {Promise<Flow>} */
  #find(wanted, signal) {
    return new Promise((resolve) => {
      const look = () => {
        const flow = this.store.flows.find(wanted);
        if (!flow) return;
        this.#waiting.delete(look);
        resolve(flow);
      };
      this.#waiting.add(look);
      signal.addEventListener("abort", () => this.#waiting.delete(look));
      look();
    });
  }

  /** @param {Flow} flow */
  #show(flow) {
    this.#shown = flow.id;
    byId("try-flow-shown").hidden = false;
    this.draw();
  }

  #fillSecret() {
    for (const step of this.#steps) {
      step.context.secret = secretField().value;
      step.fill("client_secret", secretField().value);
    }
  }

  async #register() {
    const client = select("try-client").value;
    await change("POST", `/clients/${encodeURIComponent(client)}/redirect_uris`, { redirect_uri: callback });
    await this.load();
    say(`${callback} is registered for ${client} now. The tab Clients has the YAML that keeps it.`, "good");
  }

  async #signIn() {
    const user = select("try-user").value;
    await change("POST", "/sessions", { user });
    say(`${user} is signed in with this browser now.`, "good");
  }
}

/** The method by which the client authenticates, of those that this page can send. @param {Client} client */
function methodOf({ token_endpoint_auth_method: method }) {
  if (method === "none" || method === "client_secret_post") return method;
  return method?.endsWith("_jwt") ? "none" : "client_secret_basic";
}

/** @param {string} id */
function select(id) {
  return byId(id, HTMLSelectElement);
}

function secretField() {
  return byId("try-secret", HTMLInputElement);
}
