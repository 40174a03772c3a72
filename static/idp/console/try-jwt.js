// Paste a JWT: it is decoded, and checked as its recipient should check it.

import { checks } from "../../shared/diagram-details.js";
import { byId, make } from "../../shared/dom.js";
import { change } from "./api.js";
import { attempt, timeOf } from "./ui.js";

/** @typedef {{ spec: string, text: string, outcome: "holds" | "fails" | "not_checked", why?: string }} Check */
/** @typedef {{ kind: string, header?: object, claims?: object, checks: Check[] }} Checked */

/** @type {{ [kind: string]: string }} */
const kinds = {
  id_token: "An ID token",
  access_token: "An access token",
  other: "Neither an ID token nor an access token",
  encrypted: "An encrypted token",
};

export class JWTCheck {
  constructor() {
    const form = byId("jwt-form", HTMLFormElement);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void attempt(() => this.#check(new FormData(form)));
    });
    form.addEventListener("reset", () => byId("jwt-answer").replaceChildren());
  }

  /** @param {string[]} clients that may have received the token */
  offer(clients) {
    byId("jwt-clients").replaceChildren(...clients.map((value) => Object.assign(make("option"), { value })));
  }

  /** Fills in a token and the values that its recipient knows, and checks it. @param {{ [name: string]: string }} values */
  fill(values) {
    const form = byId("jwt-form", HTMLFormElement);
    form.reset();
    for (const [name, value] of Object.entries(values)) {
      const field = form.elements.namedItem(name);
      if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) field.value = value;
    }
    form.requestSubmit();
    byId("jwt-title").scrollIntoView({ block: "start" });
  }

  /** @param {FormData} form */
  async #check(form) {
    byId("jwt-answer").replaceChildren();
    const answer = /** @type {Checked} */ (await change("POST", "/jwt", Object.fromEntries(form)));
    byId("jwt-answer").replaceChildren(...shown(answer));
    byId("jwt-answer").dataset.kind = answer.kind;
  }
}

/** @param {Checked} answer */
function shown({ kind, header, claims, checks: list }) {
  const failed = list.filter(({ outcome }) => outcome === "fails").length;
  const verdict = failed === 0 ? "No check fails." : `Failed checks: ${failed} of ${list.length}.`;
  const says = [header && decoded("Header", header), claims && decoded("Claims", claims)];
  return [
    make("p", `note ${failed === 0 ? "good" : "bad"}`, make("strong", "", kinds[kind] ?? kind), `. ${verdict}`),
    make("div", "columns", ...says),
    checks(list.map(asStep)) ?? "",
  ];
}

/** One part of the token as JSON, with the time beside a number that is one. @param {string} name @param {object} value */
function decoded(name, value) {
  const lines = JSON.stringify(value, null, 2).split("\n");
  const text = make("pre", "", ...lines.flatMap((line, i) => [i > 0 ? "\n" : "", line, timeIn(line)]));
  text.tabIndex = 0;
  text.ariaLabel = name;
  return make("div", "stack tight", make("h4", "", name), text);
}

/** @param {string} line with a member of the outermost object, or another */
function timeIn(line) {
  const [, name = "", value = ""] = /^ {2}"(\w+)": ([\d.]+),?$/.exec(line) ?? [];
  const time = timeOf(name, Number(value));
  return time ? make("span", "soft", `  ${time}`) : "";
}

/** The check as the diagram shows checks. @param {Check} check @returns {import("../../shared/diagram-details.js").Step} */
function asStep({ spec, text, outcome, why }) {
  const step = { at: "", kind: "jwt", spec };
  if (outcome === "holds") return { ...step, text, outcome: "ok" };
  if (outcome === "fails") return { ...step, text: `Not so: ${text}${why ? `; got ${why}` : ""}`, outcome: "failed" };
  return { ...step, text: `Not checked: ${text}, because ${why}`, outcome: "noted" };
}
