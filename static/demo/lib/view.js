// The parts that both apps show: the user, the tokens, the countdown, the API's answer, messages.

import { byId } from "../../shared/dom.js";
import { createCountdown } from "./countdown.js";
import { clear, show } from "./message.js";
import { showToken } from "./tokens.js";

/**
 * @typedef {object} Session
 * @property {string} name
 * @property {string} sub
 * @property {number} expiresAt when the access token expires, seconds since 1970 by this browser's clock
 * @property {number} lifetime seconds the access token lives in all
 * @property {import("./jwt.js").Decoded} [idToken]
 * @property {import("./jwt.js").Decoded} [accessToken] absent when it is not a JWT
 */

/** @param {import("./config.js").Config} config */
export function createView(config) {
  const message = byId("message");
  const names = { app: new URL(config.redirect_uri).origin, issuer: config.issuer };
  const countdown = createCountdown(byId("countdown"), byId("countdown-bar", HTMLProgressElement));

  return {
    /** @param {import("./problem.js").Problem} problem */
    say: (problem) => show(message, problem, names),
    quiet: () => clear(message),
    /** @param {Session | null} session */
    session(session) {
      showPerson(session);
      countdown.set(session?.expiresAt, session?.lifetime);
      showToken("id-token", session?.idToken);
      showToken("access-token", session?.accessToken);
    },
    /** @param {number} count so far */
    renewals(count) {
      byId("renewals").textContent = String(count);
    },
    /** @param {import("./api.js").ApiAnswer} answer */
    api({ status, challenge, body }) {
      byId("api-status").textContent = [`HTTP ${status}`, challenge && `WWW-Authenticate: ${challenge}`]
        .filter(Boolean)
        .join(" · ");
      byId("api-result").textContent = pretty(body);
    },
    ready() {
      document.body.dataset.ready = "true";
    },
  };
}

/** @param {Session | null} session */
function showPerson(session) {
  document.body.dataset.signedIn = String(session !== null);
  byId("user-name").textContent = session?.name ?? "Nobody is signed in";
  byId("user-sub").textContent = session?.sub ?? "";
  byId("avatar").textContent = session?.name.slice(0, 1) ?? "?";
  byId("sign-out").hidden = session === null;
  byId("sign-in").textContent = session ? "Sign in again" : "Sign in";
  byId("sign-in").classList.toggle("primary", session === null); // the one button that one would press next
  byId("renew").classList.toggle("primary", session !== null);
}

/** @param {string} body */
function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body; // not JSON: shown as it came
  }
}
