// Keys and users.

import { byId, make } from "../../shared/dom.js";
import { change, get } from "./api.js";
import { attempt, say } from "./ui.js";

/**
 * @typedef {{ kid: string, alg: string, signs: boolean, signs_at?: string, jwk: { kty: string } }} Key
 * @typedef {{ sub: string, username: string, name: string, claims?: object | null }} User
 */

export class Keys {
  constructor() {
    byId("rotate").addEventListener("click", () => void attempt(() => this.#rotate()));
  }

  async load() {
    this.#show(await get("/keys"));
  }

  async #rotate() {
    const answer = await change("POST", "/keys");
    this.#show(answer);
    const waits = answer.keys.some(isComing);
    say(
      waits
        ? "New keys are published. They sign from the time shown, when every provider knows them; the old ones stay published."
        : "From now on tokens are signed with new keys. The old ones stay published.",
      "good",
    );
  }

  /** @param {{ keys: Key[] }} answer */
  #show({ keys }) {
    byId("key-list").replaceChildren(...keys.map(keyRow));
  }
}

/** Is it published, and does not sign yet? @param {Key} key */
function isComing({ signs, signs_at }) {
  return !signs && signs_at !== undefined && Date.parse(signs_at) > Date.now();
}

/** @param {Key} key */
function taskOf(key) {
  if (key.signs) return make("span", "tag good", "signs");
  if (!isComing(key)) return make("span", "tag", "only verifies");
  return make("span", "tag info", `signs from ${new Date(key.signs_at ?? "").toLocaleTimeString()}`);
}

/** @param {Key} key */
function keyRow(key) {
  const { kid, alg, signs, jwk } = key;
  const row = make(
    "tr",
    "",
    make("td", "", make("code", "", kid)),
    make("td", "", alg),
    make("td", "", jwk.kty),
    make("td", "", taskOf(key)),
  );
  row.dataset.signs = String(signs);
  return row;
}

export class Users {
  async load() {
    const { users } = await get("/users");
    byId("user-list").replaceChildren(...users.map(userRow));
  }
}

/** @param {User} user */
function userRow({ sub, username, name, claims }) {
  const text = make("pre", "", JSON.stringify(claims ?? {}, null, 2));
  text.tabIndex = 0;
  const count = `${Object.keys(claims ?? {}).length} claims`;
  return make(
    "tr",
    "",
    make("td", "", make("code", "", username)),
    make("td", "", name),
    make("td", "", make("code", "", sub)),
    make("td", "", make("details", "", make("summary", "small", count), text)),
  );
}
