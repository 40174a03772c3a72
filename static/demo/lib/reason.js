// Reason codes: finer than OAuth's error codes, which many causes share. A provider that has them, in development mode, puts
// the code at the end of error_description: "nobody is signed in [session.none]".

/**
 * @param {string | null | undefined} description
 * @returns {string | undefined}
 */
export function reasonIn(description) {
  return description?.match(/\[([a-z]+\.[a-z_]+)\]$/)?.[1];
}

/**
 * Did the failure lab make the provider answer like this? Then the description says so before the reason.
 *
 * @param {string | undefined} description
 */
export function isMadeUp(description) {
  return description?.includes("(failure lab: ") ?? false;
}

/**
 * The provider's page on a reason.
 *
 * @param {string} issuer
 * @param {string} reason
 */
export function explanationOf(issuer, reason) {
  return `${issuer.replace(/\/$/, "")}/reasons/${encodeURIComponent(reason)}`;
}

/**
 * What an error page of the provider's tells the page around it, when it can end in no redirect; undefined for every
 * other message. Only the provider itself is believed.
 *
 * @param {MessageEvent} event
 * @param {string} issuer
 * @returns {import("./problem.js").Problem | undefined}
 */
export function pageProblem({ origin, data }, issuer) {
  if (origin !== new URL(issuer).origin || data?.source !== "hush") return undefined;
  const { reason, error, error_description: description } = data;
  return { code: "page_in_iframe", error, description, reason: reason ?? reasonIn(description) };
}
