// Sends a request as a client does: by a window, by a hidden iframe, or by itself.

import { Refused } from "./api.js";

/** @typedef {import("./try-fields.js").Pair} Pair */

/** A request before it is sent. @typedef {{ method: string, address: string, pairs: Pair[], basic?: { user: string, password: string } }} Request */

/** An answer to a request that the client sends by itself. @typedef {{ id: string, status: string, headers: Pair[], body: string }} Answer */

/** An answer at the redirect URI of the console. @typedef {{ url: string, params: Pair[] }} Returned */

const shownHeaders = ["Content-Type", "Cache-Control", "WWW-Authenticate", "DPoP-Nonce", "Retry-After", "X-Request-Id"];

/**
 * Requests have this page as their Referer, although pages of the provider send none: Check my app knows by it that the console
 * sent them, and not the app.
 */
const referrerPolicy = "same-origin";

/** @param {Request} request @returns {Promise<Answer>} */
export async function sendByItself(request) {
  const headers = new Headers();
  if (request.basic) headers.set("Authorization", authorization(request.basic));
  const body = new URLSearchParams(request.pairs);
  // The browser would ask for a password when the provider answers 401, if it could send credentials of its own.
  /** @type {RequestInit} */
  const init = { method: request.method, headers, body, referrerPolicy, credentials: "omit" };
  const response = await fetch(request.address, init).catch(() => {
    throw new Refused("There is no answer. Is the provider still running?");
  });
  return {
    id: response.headers.get("X-Request-Id") ?? "",
    status: `${response.status} ${response.statusText}`.trim(),
    headers: shownHeaders.flatMap((name) => headerOf(response, name)),
    body: await response.text(),
  };
}

/** @param {Response} response @param {string} name @returns {Pair[]} */
function headerOf(response, name) {
  const value = response.headers.get(name);
  return value === null ? [] : [[name, value]];
}

/** @param {{ user: string, password: string }} basic RFC 6749 §2.3.1: each is form-encoded first */
export function authorization({ user, password }) {
  return `Basic ${btoa(`${formEncoded(user)}:${formEncoded(password)}`)}`;
}

/** @param {string} text */
export function formEncoded(text) {
  return new URLSearchParams([["", text]]).toString().slice(1);
}

/** The whole address of a request by GET. @param {Request} request */
export function addressOf({ address, pairs }) {
  return `${address}?${new URLSearchParams(pairs)}`;
}

/**
 * Opens the address in a window, where the user may sign in.
 * @param {string} address
 * @param {AbortSignal} signal stops waiting
 */
export function sendByWindow(address, signal) {
  const name = crypto.getRandomValues(new Uint32Array(4)).join("-");
  const opened = window.open("", name, "popup,width=560,height=800");
  if (!opened) throw new Refused("The browser blocked the window. Allow windows for this address, and send again.");
  Object.assign(document.createElement("a"), { href: address, target: name, referrerPolicy }).click();
  return returned(opened, signal).then((answer) => {
    opened.close();
    return answer;
  });
}

/**
 * Opens the address in a hidden iframe.
 * @param {string} address
 * @param {AbortSignal} signal stops waiting, and removes the iframe
 */
export function sendByFrame(address, signal) {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.title = "A silent request";
  frame.referrerPolicy = referrerPolicy;
  signal.addEventListener("abort", () => frame.remove());
  document.body.append(frame);
  const answer = returned(() => frame.contentWindow, signal);
  frame.src = address;
  return answer;
}

/** Waits for the message of the callback page, or of a page with response_mode=web_message. @param {Window | (() => Window | null)} of @param {AbortSignal} signal @returns {Promise<Returned>} */
function returned(of, signal) {
  return new Promise((resolve) => {
    const receive = (/** @type {MessageEvent} */ message) => {
      const expected = typeof of === "function" ? of() : of;
      const isOurs = message.source === expected && message.origin === location.origin;
      const answer = isOurs && answerIn(message.data);
      if (answer) resolve(answer);
    };
    addEventListener("message", receive, { signal });
  });
}

/** @param {any} data of a message @returns {Returned | undefined} */
function answerIn(data) {
  if (data?.source === "hush-callback") return { url: data.url, params: paramsOf(data.url) };
  if (data?.type === "authorization_response") return { url: "", params: Object.entries(data.response) };
  return undefined;
}

/** The answer is in the query or in the fragment. @param {string} url @returns {Pair[]} */
function paramsOf(url) {
  const { searchParams, hash } = new URL(url);
  return [...searchParams, ...new URLSearchParams(hash.slice(1))];
}
