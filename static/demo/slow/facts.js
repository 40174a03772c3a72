// The real parameters of a stop: what this page saw, and what the provider says that it checked.

import { checks, cookieLine, reasonLink, values } from "../../shared/diagram-details.js";
import { make } from "../../shared/dom.js";
import { decode } from "../lib/jwt.js";

/** @typedef {import("./held.js").Facts} Facts */
/** @typedef {import("./held.js").StopId} StopId */
/** @typedef {import("../../shared/diagram-details.js").Record} Record */
/** @typedef {import("../../shared/diagram-details.js").Step} Step */
/** @typedef {{ authorize?: Record, token?: Record }} Seen by the provider */
/** @typedef {{ facts: Facts, seen: Seen, config: import("../lib/config.js").Config, open: boolean }} Known open: the provider shows its side */

const long = 60; // characters of a value that are shown

/** @type {{ [stop: string]: (known: Known) => (Node | null)[] }} */
const sections = {
  1: ({ facts }) => [part("The address that the iframe will open", address(facts.url))],
  2: ({ facts, seen: { authorize }, open }) => [
    part("The session cookie", cookies(authorize)),
    part("What the provider checked", checked(authorize, open, ["client", "redirect_uri", "session", "code"], asked)),
    part(`The answer: ${authorize?.status ?? 303}, ${facts.took} ms after the iframe was added`, address(facts.url)),
  ],
  "3a": ({ facts }) => [part("The message", pairs({ source: "oidc-client", url: facts.url ?? "" }))],
  "3b": ({ facts, config }) => [part("The request that the page will send: POST /token", exchange(facts, config))],
  "3c": ({ facts, seen: { token }, open }) => [
    part("What the provider checked", checked(token, open, ["client", "code", "token"], ["RFC 7636 §4.6"])),
    part("The answer", answer(facts)),
  ],
  4: ({ facts }) => [
    part(
      "The request that the page will send: GET /api/me",
      pairs({ Authorization: `Bearer ${facts.user?.access_token ?? ""}` }),
    ),
  ],
  end: ({ facts }) => [part(`The answer of the API: ${facts.api?.status}`, body(facts))],
  failed: ({ facts, config }) => [part("The error", problem(facts, config.issuer))],
};

/** The sections of the checks about which slow motion speaks. */
const asked = ["Core §3.1.2.3", "RFC 7636 §4.2"];

/** @param {StopId | "start"} stop @param {Known} known */
export function factsOf(stop, known) {
  return (sections[stop]?.(known) ?? []).filter((section) => section !== null);
}

/** What became of the session cookie, as far as the provider says. @param {Record | undefined} authorize */
export function cookieState(authorize) {
  const session = authorize?.cookies?.some(({ session, direction }) => session && direction === "sent");
  if (!authorize) return "idle";
  return session ? "sent" : "withheld";
}

/** @param {string} title @param {Node | null} content */
function part(title, content) {
  return content && make("section", "stack tight", make("h3", "", title), content);
}

/** @param {{ [name: string]: string }} all */
function pairs(all) {
  return values(Object.entries(all).map(([name, text]) => ({ name, text: short(text) })));
}

/** @param {string} text */
function short(text) {
  return text.length > long ? `${text.slice(0, long - 20)}… (${text.length} characters)` : text;
}

/** @param {string | undefined} url */
function address(url) {
  if (!url) return null;
  const { origin, pathname, searchParams } = new URL(url);
  const line = make("p", "mono small break", `${origin}${pathname}`);
  return make("div", "stack tight", line, pairs(Object.fromEntries(searchParams)));
}

/** @param {Record | undefined} record */
function cookies(record) {
  if (!record) return null;
  const ours = (record.cookies ?? []).filter(({ session }) => session);
  const first = ours.find(({ direction }) => direction === "sent") ?? ours[0];
  if (!first) return make("p", "small", "The request came without a session cookie.");
  return make("ul", "cookies", cookieLine(first)); // over http there are two, with the same value
}

/**
 * The checks about this stop, and all of them one press further.
 *
 * @param {Record | undefined} record
 * @param {boolean} open
 * @param {string[]} kinds
 * @param {string[]} specs
 */
function checked(record, open, kinds, specs) {
  if (!record) return make("p", "soft small", open ? "…" : "This provider does not show its side.");
  const steps = record.steps ?? [];
  const wanted = (/** @type {Step} */ { outcome, kind, spec = "" }) =>
    outcome === "failed" || kinds.includes(kind) || specs.includes(spec);
  const some = checks(steps.filter(wanted));
  const all = make("details", "small", make("summary", "", "All checks, in this order"), checks(steps));
  return make("div", "stack tight small", some, all);
}

/** @param {Facts} facts @param {import("../lib/config.js").Config} config */
function exchange({ stored = {}, url }, config) {
  return pairs({
    grant_type: "authorization_code",
    client_id: config.client_id,
    redirect_uri: config.redirect_uri,
    code: new URL(url ?? location.href).searchParams.get("code") ?? "",
    code_verifier: stored.code_verifier ?? "",
  });
}

/** @param {Facts} facts */
function answer({ user }) {
  if (!user) return null;
  const claims = (/** @type {string | undefined} */ token) => decode(token ?? "")?.claims;
  return values([
    { name: "id_token", text: short(user.id_token ?? ""), decoded: claims(user.id_token) },
    { name: "access_token", text: short(user.access_token), decoded: claims(user.access_token) },
    { name: "expires_in", text: String(user.expires_in) },
  ]);
}

/** @param {Facts} facts */
function body({ api }) {
  const text = make("pre", "", indented(api?.body ?? ""));
  text.tabIndex = 0;
  return text;
}

/** @param {string} json */
function indented(json) {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

/** @param {Facts} facts @param {string} issuer */
function problem({ problem: found }, issuer) {
  if (!found) return null;
  const list = pairs({ error: found.error ?? found.code, error_description: found.description ?? "" });
  return make("div", "stack tight", list, found.reason && make("p", "small", reasonLink(issuer, found.reason)));
}
