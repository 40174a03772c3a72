// Reading a JWT (RFC 7519). Decoding is not verifying: anybody can write such a token, and this page only shows
// it. The API verifies the access token's signature before it believes a word (see package rp, Resource).

/**
 * @typedef {Record<string, unknown>} Claims
 * @typedef {{header: Claims, claims: Claims, raw?: string}} Decoded raw is the whole token, where the page has it
 */

/**
 * The two readable parts of header.claims.signature; undefined for anything else, since an access token may also be
 * opaque (RFC 6749 §1.4): only the API needs to understand it.
 *
 * @param {string} token
 * @returns {Decoded | undefined}
 */
export function decode(token) {
  const [header = "", claims = ""] = token.split(".");
  try {
    return { header: part(header), claims: part(claims), raw: token };
  } catch {
    return undefined;
  }
}

/**
 * One part is JSON, in UTF-8, in base64url (RFC 7515 §2): base64 with - and _ and without padding.
 *
 * @param {string} text
 * @returns {Claims}
 */
function part(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}
