// The claims that the tokens of a user would have for a client, each with its cause, without a sign-in.

import { specLink } from "../../shared/diagram-spec.js";
import { byId, make } from "../../shared/dom.js";
import { change } from "./api.js";
import { scopeOf } from "./try-values.js";
import { attempt, setOptions, timeOf } from "./ui.js";

/** @typedef {{ name: string, value: unknown, why: string, spec?: string }} Claim */
/** @typedef {{ claims: Claim[], note?: string }} Content */
/**
 * @typedef {{ scope: string, left_out?: string[], absent?: string[], id_token?: Content, access_token: Content,
 *   userinfo?: Content }} Preview
 */
/** @typedef {import("./clients.js").Client} Client */

export class TokenPreview {
  /** @type {Client[]} */
  #clients = [];

  constructor() {
    const form = byId("preview-form", HTMLFormElement);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void attempt(() => this.#show(new FormData(form)));
    });
    byId("preview-client").addEventListener("change", () => this.#fillScope());
  }

  /** Sets the choices. @param {Client[]} clients @param {{ username: string }[]} users */
  offer(clients, users) {
    const isFirst = this.#clients.length === 0;
    this.#clients = clients;
    setOptions(
      byId("preview-client", HTMLSelectElement),
      clients.map(({ client_id }) => ({ value: client_id, text: client_id })),
    );
    const names = users.map(({ username }) => ({ value: username, text: username }));
    setOptions(byId("preview-user", HTMLSelectElement), [...names, { value: "", text: "none: the client itself" }]);
    if (!isFirst) return;
    this.#fillScope();
    byId("preview-user", HTMLSelectElement).selectedIndex = 0; // a user, if there is one
  }

  #fillScope() {
    const client = this.#clients.find(({ client_id }) => client_id === byId("preview-client", HTMLSelectElement).value);
    if (client) byId("preview-scope", HTMLInputElement).value = scopeOf(client);
  }

  /** @param {FormData} form */
  async #show(form) {
    byId("preview-answer").replaceChildren();
    const preview = /** @type {Preview} */ (await change("POST", "/preview", Object.fromEntries(form)));
    byId("preview-answer").replaceChildren(
      ...notes(preview),
      ...content("ID token", preview.id_token),
      ...content("Access token", preview.access_token),
      ...content("Userinfo", preview.userinfo),
    );
  }
}

/** The granted scope, and the missing values and claims with the reason. @param {Preview} preview */
function notes({ scope, left_out = [], absent = [] }) {
  const granted = make("p", "", "Granted scope: ", make("code", "break", scope || "none"));
  const missing = absent.length > 0 && `The scope covers claims that the user does not have: ${absent.join(", ")}.`;
  return [
    granted,
    ...left_out.map((text) => make("p", "note warn", text)),
    missing && make("p", "soft", missing),
  ].flatMap((part) => part || []);
}

/** @param {string} title @param {Content | undefined} content */
function content(title, content) {
  if (!content) return [];
  const list = make("dl", "values claims", ...content.claims.flatMap(pair));
  list.dataset.place = title;
  return [make("h4", "", title), content.note ? make("p", "soft", content.note) : list];
}

/** @param {Claim} claim */
function pair({ name, value, why, spec }) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const cause = make("p", "hint", `${why} `, spec && specLink(spec));
  const time = timeOf(name, value);
  const shown = make(
    "dd",
    "",
    make("span", "mono break", text),
    time !== "" && make("span", "mono soft", ` ${time}`),
    cause,
  );
  shown.dataset.claim = name;
  return [make("dt", "mono", name), shown];
}
