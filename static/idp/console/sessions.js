// Sessions: who is signed in, and what can be done to them.

import { byId, make } from "../../shared/dom.js";
import { change, get } from "./api.js";
import { button, clockTime, say, shortDuration } from "./ui.js";

/**
 * @typedef {{ sub: string, username: string, name: string, auth_time: string }} Account
 * @typedef {{ id: string, state: string, this_browser: boolean, started_at: string, last_seen?: string, ended_at?: string,
 *   expires_at: string, browser?: string, accounts: Account[] }} Session
 */

/** @type {{ [state: string]: [string, string] }} */
const states = {
  signed_in: ["good", "signed in"],
  signed_out: ["bad", "signed out"],
  expired: ["bad", "expired"],
  idle: ["bad", "not used for too long"],
};

export class Sessions {
  /** @type {{ username: string, name: string }[]} */
  #users = [];

  async load() {
    const [{ sessions, idle, absolute }, { users }] = await Promise.all([get("/sessions"), get("/users")]);
    this.#users = users;
    byId("session-limits").textContent =
      `It ends when it was not used for ${shortDuration(idle)}, and ${shortDuration(absolute)} after its first sign-in.`;
    byId("session-list").replaceChildren(...sessions.map((/** @type {Session} */ session) => this.#item(session)));
    byId("no-sessions").hidden = sessions.length > 0;
  }

  /** @param {Session} session */
  #item(session) {
    const [tone, words] = states[session.state] ?? ["", session.state];
    const names = session.accounts.map(({ name, username }) => `${name} (${username})`).join(", ") || "Nobody";
    const item = make(
      "li",
      "card flat stack tight",
      make("div", "row spread", make("strong", "", names), make("span", `tag ${tone}`, words)),
      session.this_browser && make("p", "", make("span", "tag info", "this browser")),
      make("p", "soft small", ...times(session)),
    );
    item.dataset.state = session.state;
    if (session.state === "signed_in") item.append(this.#actions(session));
    return item;
  }

  /** @param {Session} session */
  #actions(session) {
    const row = make(
      "div",
      "row",
      this.#button(session, "End it", { do: "end" }),
      this.#button(session, "Let it expire", { do: "expire" }),
      this.#button(session, "Let it go idle", { do: "idle" }),
    );
    for (const { username } of this.#users)
      if (session.accounts[0]?.username !== username)
        row.append(this.#button(session, `Make it ${username}’s`, { do: "user", user: username }));
    return row;
  }

  /** @param {Session} session @param {string} words @param {object} what */
  #button(session, words, what) {
    return button(words, async () => {
      await change("POST", `/sessions/${session.id}`, what);
      await this.load();
      say("Done. The app learns of it at its next silent renewal.", "good");
    });
  }
}

/** @param {Session} session */
function times(session) {
  const ended = session.ended_at
    ? [", ended ", clockTime(session.ended_at)]
    : [session.state === "expired" ? ", expired " : ", ends by ", clockTime(session.expires_at)];
  const browser = session.browser ? [`${session.browser}, `] : [];
  return [...browser, "began ", clockTime(session.started_at), ...ended];
}
