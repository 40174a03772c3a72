// From what went wrong to one code that texts.js can explain.

import { reasonIn } from "./reason.js";
import { crossSite } from "./site.js";

/**
 * @typedef {object} Problem
 * @property {string} code a key of texts.js, or an OAuth error code without a text of its own
 * @property {string} [error] the OAuth error code on the wire, if there was one
 * @property {string} [description] what the other side said, word for word
 * @property {string} [reason] the provider's reason code, when it gave one
 */

/** A problem as an exception. */
export class Refused extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.description ?? problem.code);
    this.problem = problem;
  }
}

// What oidc-client-ts throws without a type of its own can only be told by its words.
/** @type {[RegExp, string][]} */
const byWords = [
  [/Popup closed/, "popup_closed"],
  [/disposed window/, "popup_blocked"], // window.open gave null
  [/No matching state|State does not match|No state in response/, "invalid_state"],
  [/Crypto\.subtle/, "insecure_context"],
  [/\(5\d\d\)/, "provider_down"], // answered, but with a server error
];

/**
 * @param {unknown} thrown by oidc-client-ts, or by us
 * @returns {Problem}
 */
export function problemOf(thrown) {
  if (thrown instanceof Refused) return thrown.problem;
  const { name, message } = thrown instanceof Error ? thrown : new Error(String(thrown));
  if (name === "ErrorResponse") return fromWire(/** @type {import("oidc-client-ts").ErrorResponse} */ (thrown));
  if (name === "ErrorTimeout") return { code: "timeout", description: message };
  if (thrown instanceof TypeError) return { code: "provider_down", description: message }; // fetch found nobody
  const code = byWords.find(([words]) => words.test(message))?.[1] ?? "other";
  return { code, description: message };
}

/**
 * An OAuth error answer, from a redirect (RFC 6749 §4.1.2.1) or the token endpoint (§5.2).
 *
 * @param {{error?: string | null, error_description?: string | null}} answer
 * @returns {Problem}
 */
export function fromWire({ error, error_description: description }) {
  const reason = reasonIn(description);
  return { code: error ?? "other", error: error ?? undefined, description: description ?? undefined, reason };
}

/**
 * The same answer can have two causes. A provider that gives its reason tells them apart. With others the page adds what
 * only it knows: where it lives, and whether somebody was signed in; and after a timeout it looks whether the provider is
 * there at all.
 *
 * @param {Problem} problem
 * @param {{issuer: string, wasSignedIn: boolean}} known
 * @returns {Promise<Problem>}
 */
export async function judge(problem, { issuer, wasSignedIn }) {
  if (problem.code === "login_required" && isWithheld(problem.reason, issuer, wasSignedIn)) {
    return { ...problem, code: "cookie_withheld" };
  }
  if (problem.code === "timeout" && !(await reachable(issuer))) return { ...problem, code: "provider_down" };
  return problem;
}

/**
 * @param {string | undefined} reason
 * @param {string} issuer
 * @param {boolean} wasSignedIn
 */
function isWithheld(reason, issuer, wasSignedIn) {
  if (reason) return reason.startsWith("cookie.");
  return wasSignedIn && crossSite(location.origin, issuer);
}

/**
 * Does the provider answer this page now?
 *
 * @param {string} issuer
 */
export async function reachable(issuer) {
  try {
    const metadata = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    // no-store: an answer out of the browser's cache would say nothing about now.
    return (await fetch(metadata, { cache: "no-store", signal: AbortSignal.timeout(5000) })).ok;
  } catch {
    return false;
  }
}
