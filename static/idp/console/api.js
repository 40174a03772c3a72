// The console's own API: JSON, and the CSRF token for what changes something.

import { byId } from "../../shared/dom.js";

const { csrf = "" } = byId("console").dataset;

/** The address of the API. The issuer may have a path, and so has the address of this script. */
export const api = new URL("../../../console", import.meta.url).pathname;

/** The name of an event of the window: this page changed what the failure lab does. */
export const labChanged = "hush-lab";

/** What the provider refused, in its words. */
export class Refused extends Error {}

/**
 * @param {string} path below /console
 * @returns {Promise<any>}
 */
export function get(path) {
  return ask(path, { headers: { Accept: "application/json" } });
}

/**
 * @param {"POST" | "PUT" | "PATCH" | "DELETE"} method
 * @param {string} path below /console
 * @param {unknown} [body]
 * @param {{ [name: string]: string }} [headers] more of them
 * @returns {Promise<any>}
 */
export async function change(method, path, body, headers = {}) {
  const answer = await ask(path, {
    method,
    headers: { Accept: "application/json", "Content-Type": "application/json", "X-Hush-CSRF": csrf, ...headers },
    body: body === undefined ? null : JSON.stringify(body),
  });
  if (/^\/(faults|clock)/.test(path)) dispatchEvent(new Event(labChanged));
  return answer;
}

/** @param {string} path @param {RequestInit} init */
async function ask(path, init) {
  const response = await fetch(api + path, init).catch(() => {
    throw new Refused("The provider does not answer. Is it still running?");
  });
  if (response.status === 204) return undefined;
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(answer.error_description ?? `The provider answered ${response.status}.`);
  return answer;
}
