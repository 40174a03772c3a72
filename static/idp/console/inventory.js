// Keys and users.

import { byId, make } from "../../shared/dom.js";
import { change, get } from "./api.js";
import { attempt, say } from "./ui.js";

/**
 * @typedef {{ kid: string, alg: string, signs: boolean, jwk: { kty: string } }} Key
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
    this.#show(await change("POST", "/keys"));
    say("From now on tokens are signed with new keys. The old ones stay published.", "good");
  }

  /** @param {{ keys: Key[] }} answer */
  #show({ keys }) {
    byId("key-list").replaceChildren(...keys.map(keyRow));
  }
}

/** @param {Key} key */
function keyRow({ kid, alg, signs, jwk }) {
  const task = signs ? make("span", "tag good", "signs") : make("span", "tag", "only verifies");
  const row = make(
    "tr",
    "",
    make("td", "", make("code", "", kid)),
    make("td", "", alg),
    make("td", "", jwk.kty),
    make("td", "", task),
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
