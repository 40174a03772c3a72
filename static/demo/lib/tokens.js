// Shows the decoded tokens, and after a renewal what changed in them.

import { byId } from "../../shared/dom.js";

/** @typedef {import("./jwt.js").Decoded} Decoded */

/**
 * @param {"id-token" | "access-token"} id
 * @param {Decoded | undefined} token
 */
export function showToken(id, token) {
  const claims = byId(id);
  const before = claims.textContent ? JSON.parse(claims.textContent) : undefined;
  claims.textContent = token ? JSON.stringify(token.claims, null, 2) : "";
  byId(`${id}-header`).textContent = token ? JSON.stringify(token.header) : "";
  const copy = byId(`${id}-copy`);
  copy.hidden = !token?.raw;
  copy.dataset.copy = token?.raw ?? "";
  byId(`${id}-note`).textContent = token ? note(token.claims, before) : "No token: nobody is signed in.";
}

/**
 * @param {import("./jwt.js").Claims} now
 * @param {import("./jwt.js").Claims | undefined} before
 */
function note(now, before) {
  const life = `Issued ${time(now.iat)}, expires ${time(now.exp)}.`;
  if (!before) return life;
  const changed = Object.keys(now).filter((name) => JSON.stringify(now[name]) !== JSON.stringify(before[name]));
  return `${life} Changed since the one before: ${changed.join(", ") || "nothing"}.`;
}

/** @param {unknown} seconds since 1970 (RFC 7519 §2, NumericDate) */
function time(seconds) {
  return typeof seconds === "number" ? new Date(seconds * 1000).toLocaleTimeString() : "?";
}
