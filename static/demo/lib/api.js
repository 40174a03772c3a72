// Calling the protected API, and reading its refusals.

/**
 * @typedef {object} ApiAnswer
 * @property {number} status
 * @property {string} challenge the WWW-Authenticate header of a refusal, or ""
 * @property {string} body
 */

/**
 * @param {string} [accessToken] none: the API answers with a bare challenge (RFC 6750 §3)
 * @returns {Promise<ApiAnswer>}
 */
export async function callApi(accessToken) {
  /** @type {Record<string, string>} */
  const headers = accessToken ? { Authorization: `Bearer ${accessToken}` } : {};
  const response = await fetch("/api/me", { headers });
  return {
    status: response.status,
    challenge: response.headers.get("WWW-Authenticate") ?? "",
    body: await response.text(),
  };
}

/**
 * What the refusal says, as a problem for the message; undefined when the API accepted. A refusal for the token's sake
 * says it in WWW-Authenticate (RFC 6750 §3); a request without a token gets no reason, and other failures have a body only.
 *
 * @param {ApiAnswer} answer
 * @returns {import("./problem.js").Problem | undefined}
 */
export function refusal({ status, challenge, body }) {
  if (status < 400) return undefined;
  const error = parameter(challenge, "error") ?? field(body, "error");
  const description = parameter(challenge, "error_description") ?? field(body, "error_description");
  return { code: "api_refused", error, description: [status, error, description].filter(Boolean).join(" · ") };
}

/**
 * @param {string} body JSON, or anything when something else than our API answers
 * @param {string} name
 * @returns {string | undefined}
 */
function field(body, name) {
  try {
    return JSON.parse(body)[name];
  } catch {
    return undefined;
  }
}

/**
 * One parameter of a challenge such as: Bearer realm="demo", error="invalid_token" (RFC 9110 §11.2).
 *
 * @param {string} challenge
 * @param {string} name
 */
function parameter(challenge, name) {
  return challenge.match(new RegExp(`(?:^|[\\s,])${name}="([^"]*)"`))?.[1];
}
