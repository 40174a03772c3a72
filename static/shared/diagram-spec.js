// Where a section such as "RFC 7636 §4.2" or "Core §3.1.2.1" can be read.

import { link } from "./dom.js";

const openid = "https://openid.net/specs/";

/**
 * The specifications by the first words of a reference, and the beginning of a section's address. An RFC is known by its number.
 *
 * @type {[RegExp, string, string][]}
 */
const specifications = [
  [/^(OpenID Connect )?Core\b/, `${openid}openid-connect-core-1_0.html`, "#rfc.section."],
  [/^(OpenID Connect )?Discovery\b/, `${openid}openid-connect-discovery-1_0.html`, "#rfc.section."],
  [
    /^(OpenID Connect )?(Dynamic Client )?Registration\b/,
    `${openid}openid-connect-registration-1_0.html`,
    "#rfc.section.",
  ],
  [/^RP-Initiated Logout\b/, `${openid}openid-connect-rpinitiated-1_0.html`, "#rfc.section."],
  [/^OAuth 2\.0 Multiple Response Type/, `${openid}oauth-v2-multiple-response-types-1_0.html`, "#rfc.section."],
  [/^(OAuth 2\.0 )?Form Post/, `${openid}oauth-v2-form-post-response-mode-1_0.html`, "#rfc.section."],
  [/^(RFC )?6265bis\b/i, "https://httpwg.org/http-extensions/draft-ietf-httpbis-rfc6265bis.html", ""],
  [/^Fetch\b(?! Metadata)/, "https://fetch.spec.whatwg.org/", ""],
  [/^Fetch Metadata\b/, "https://www.w3.org/TR/fetch-metadata/", ""],
  [/^Storage Access/, "https://privacycg.github.io/storage-access-headers/", ""],
  [/^(CSP|Content Security Policy)/, "https://www.w3.org/TR/CSP3/", ""],
  [/^HTML\b/, "https://html.spec.whatwg.org/multipage/browsers.html", ""],
  [/^Permissions Policy\b/, "https://www.w3.org/TR/permissions-policy/", ""],
  [/^Referrer Policy\b/, "https://www.w3.org/TR/referrer-policy/", ""],
];

/**
 * The reference as a link, or as words where nobody knows the address ("a limit of this provider").
 *
 * @param {string} spec
 * @returns {HTMLElement}
 */
export function specLink(spec) {
  const address = specAddress(spec);
  if (address) return link(address, spec);
  const words = document.createElement("span");
  words.textContent = spec;
  return words;
}

/** @param {string} spec */
export function specAddress(spec) {
  const section = /§\s?([0-9]+(\.[0-9]+)*)/.exec(spec)?.[1] ?? "";
  const directive = /^CSP Level 3, ([a-z-]+)$/.exec(spec)?.[1];
  if (directive) return `https://www.w3.org/TR/CSP3/#directive-${directive}`;
  const known = specifications.find(([words]) => words.test(spec));
  if (known) return known[1] + (section && known[2] ? known[2] + section : "");
  const rfc = /^RFC ([0-9]{3,5})\b/.exec(spec)?.[1];
  if (!rfc) return "";
  return `https://www.rfc-editor.org/rfc/rfc${rfc}${section ? `#section-${section}` : ""}`;
}
