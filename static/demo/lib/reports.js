// Telling the provider what it cannot see, so that its own picture of the renewal is whole: that the answer reached the
// callback page, that the API was called, and when the two clocks differ.

import { pause } from "./drawing.js";

const tolerance = 60; // seconds of difference between two clocks that nobody needs to hear of

/** @typedef {import("./provider.js").Provider} Provider */

/**
 * (3) The provider's answer reached this page. The report comes after a pause: the exchange of the code is first.
 *
 * @param {Provider} provider
 * @param {{state: string, error?: string}} answer
 */
export async function tellCallback(provider, { state, error }) {
  const came = performance.now();
  await new Promise((resolve) => setTimeout(resolve, pause));
  const ago = Math.round(performance.now() - came);
  return provider.report({ kind: "callback", state, error: error || undefined, ago_ms: ago });
}

/**
 * (4) The API was called.
 *
 * @param {Provider} provider
 * @param {string | undefined} jti of the access token; an opaque token has none that we could know
 * @param {{status: number, took: number}} answer milliseconds
 */
export function tellApi(provider, jti, { status, took }) {
  if (jti) void provider.report({ kind: "api", jti, status, url: "/api/me", took_ms: Math.round(took) });
}

/**
 * The token says when it was issued, by the provider's clock; this page got it just now, by its own.
 *
 * @param {Provider} provider
 * @param {{jti?: unknown, iat?: unknown}} claims of the access token
 */
export function tellClock(provider, { jti, iat }) {
  const skew = Math.round(Date.now() / 1000 - Number(iat));
  if (Math.abs(skew) > tolerance) void provider.report({ kind: "clock", jti: String(jti), skew_s: skew });
}
