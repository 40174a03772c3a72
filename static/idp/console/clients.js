// Clients: what their developers copy, and the form that adds or changes one.

import { byId, make } from "../../shared/dom.js";
import { change, get, Refused } from "./api.js";
import { button, copyable, say } from "./ui.js";

/**
 * @typedef {{ client_id: string, client_name?: string, client_secret?: string, token_endpoint_auth_method?: string,
 *   redirect_uris: string[], post_logout_redirect_uris?: string[], scope?: string, first_party?: boolean,
 *   access_token_lifetime?: string }} Client
 * @typedef {{ client: Client, settings: { library: string, language: string, text: string }[], yaml: string,
 *   any_port?: string[], unregistered?: boolean }} Shown
 */

export class Clients {
  /** @type {Client | undefined} the one that the form changes; undefined: it makes a new one */
  #edited;

  constructor() {
    byId("client-add").addEventListener("click", () => this.#open(undefined));
    byId("client-cancel").addEventListener("click", () => this.#close());
    byId("client-auth").addEventListener("change", () => this.#adapt());
    const form = byId("client-form", HTMLFormElement);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#save(new FormData(form));
    });
  }

  /** @param {string} [open] the client_id of the one to show opened */
  async load(open) {
    const { clients } = await get("/clients");
    const before = new Set([...byId("client-list").querySelectorAll("details[open]")].map((item) => item.id));
    byId("client-list").replaceChildren(
      ...clients.map((/** @type {Shown} */ shown) => {
        const item = this.#item(shown);
        item.open = before.has(item.id) || shown.client.client_id === open;
        return item;
      }),
    );
  }

  /** @param {Shown} shown */
  #item({ client, settings, yaml, any_port, unregistered }) {
    const title = make(
      "span",
      "who",
      make("strong", "", client.client_name || client.client_id),
      make("span", "mono", client.client_id),
    );
    const summary = make("summary", "", make("span", "row", title, ...tagsOf(client, unregistered)));
    const item = make(
      "details",
      "card flat",
      summary,
      make(
        "div",
        "stack",
        uris("redirect_uris", client.redirect_uris, any_port),
        uris("post_logout_redirect_uris", client.post_logout_redirect_uris ?? [], any_port),
        settings.length > 0 && settingsOf(client.client_id, settings),
        copyable("To keep it: YAML for the configuration file", yaml),
        !unregistered &&
          make(
            "p",
            "row",
            edit(client, () => this.#open(client)),
          ),
      ),
    );
    item.id = `client-${client.client_id}`;
    return item;
  }

  /** @param {Client | undefined} client */
  #open(client) {
    this.#edited = client;
    const form = byId("client-form", HTMLFormElement);
    form.reset();
    form.hidden = false;
    byId("client-form-title").textContent = client ? `Change ${client.client_id}` : "A new client";
    byId("client-id", HTMLInputElement).readOnly = client !== undefined;
    byId("client-problem").textContent = "";
    for (const [name, value] of Object.entries(client ?? {})) fill(form, name, value);
    if (client) fill(form, "token_endpoint_auth_method", client.token_endpoint_auth_method ?? "");
    this.#adapt();
    form.scrollIntoView({ block: "nearest" });
    byId(client ? "client-name" : "client-id").focus();
  }

  #close() {
    byId("client-form").hidden = true;
    byId("client-add").focus();
  }

  /** A public client has no secret. */
  #adapt() {
    const isPublic = byId("client-auth", HTMLSelectElement).value === "none";
    byId("client-secret-field").hidden = isPublic;
    byId("client-secret-hint").textContent = this.#edited ? "Empty: it stays as it is." : "Long and random.";
  }

  /** @param {FormData} form */
  async #save(form) {
    const client = written(form);
    if (client.token_endpoint_auth_method === "none") client.client_secret = undefined;
    try {
      const path = `/clients/${encodeURIComponent(client.client_id)}`;
      if (this.#edited) await change("PATCH", path, changed(this.#edited, client));
      else await change("PUT", path, client, { "If-None-Match": "*" }); // it must be new
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      byId("client-problem").textContent = error.message;
      return;
    }
    this.#close();
    await this.load(client.client_id);
    say(`${client.client_id} can be used now.`, "good");
  }
}

/** @param {Client} client @param {boolean} [unregistered] */
function tagsOf(client, unregistered) {
  const isPublic = client.token_endpoint_auth_method === "none";
  return [
    unregistered && make("span", "tag warn", "not registered: let in by any_client"),
    make("span", "tag", isPublic ? "public, PKCE" : "confidential"),
    make("span", "tag", client.first_party ? "first-party: no consent page" : "asks for consent"),
    client.access_token_lifetime && make("span", "tag", `tokens live ${client.access_token_lifetime}`),
  ];
}

const freePort = " Any port: the provider does not compare the port of such an address (RFC 8252 §7.3).";

/** @param {string} name @param {string[]} list @param {string[]} [anyPort] those that match with any port */
function uris(name, list, anyPort = []) {
  const title = make("strong", "small", name);
  const items = list.map((uri) =>
    make(
      "li",
      "",
      make("code", "break", uri),
      anyPort.includes(uri) && make("span", "soft small any-port", " any port"),
    ),
  );
  const why = list.some((uri) => anyPort.includes(uri)) && make("span", "soft small", freePort);
  return list.length > 0 && make("div", "stack tight", make("p", "", title, why), make("ul", "bare", ...items));
}

/** @param {Client} client @param {() => void} open */
function edit(client, open) {
  return button(`Change ${client.client_id}`, () => Promise.resolve(open()));
}

/** @param {HTMLFormElement} form @param {string} name @param {unknown} value */
function fill(form, name, value) {
  const field = form.elements.namedItem(name);
  if (field instanceof HTMLInputElement && field.type === "checkbox") field.checked = value === true;
  else if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = String(value);
  else if (field instanceof HTMLTextAreaElement && Array.isArray(value)) field.value = value.join("\n");
}

/**
 * The fields that the form changes: a JSON merge patch (RFC 7396). The provider keeps every field that is not in it.
 * @param {Client} before @param {Client} after @returns {object}
 */
function changed(before, after) {
  const known = new Map(Object.entries(before));
  const blank = (/** @type {unknown} */ value) => {
    if (Array.isArray(value)) return [];
    return value === false ? false : "";
  };
  const same = (/** @type {string} */ name, /** @type {unknown} */ value) =>
    JSON.stringify(value) === JSON.stringify(known.get(name) ?? blank(value));
  const fields = Object.entries(after).filter(([name, value]) => name === "client_id" || !same(name, value));
  return Object.fromEntries(fields);
}

/** @param {FormData} form @returns {Client} */
function written(form) {
  const text = (/** @type {string} */ name) => String(form.get(name) ?? "").trim();
  const lines = (/** @type {string} */ name) => text(name).split(/\s+/).filter(Boolean);
  return {
    client_id: text("client_id"),
    client_name: text("client_name"),
    client_secret: text("client_secret"),
    token_endpoint_auth_method: text("token_endpoint_auth_method"),
    redirect_uris: lines("redirect_uris"),
    post_logout_redirect_uris: lines("post_logout_redirect_uris"),
    scope: text("scope"),
    first_party: form.has("first_party"),
    access_token_lifetime: text("access_token_lifetime"),
  };
}

/**
 * The lines for the library that the developer chooses.
 * @param {string} id
 * @param {Shown["settings"]} settings
 */
function settingsOf(id, settings) {
  const choice = make("select", "");
  choice.id = `settings-${id}`;
  choice.append(...settings.map(({ library }) => new Option(library)));
  const label = make("label", "small", "Settings for your app, which uses ");
  label.htmlFor = choice.id;
  const shown = make("div", "");
  const show = () => {
    const { library, text } = settings[choice.selectedIndex] ?? { library: "", text: "" };
    shown.replaceChildren(copyable(`Settings for ${library}`, text));
  };
  choice.addEventListener("change", show);
  const preferred = settings.findIndex(({ library }) => library === "oidc-client-ts");
  choice.selectedIndex = Math.max(preferred, 0);
  show();
  return make("div", "stack tight", make("div", "row", label, choice), shown);
}
