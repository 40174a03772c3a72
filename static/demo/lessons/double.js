// Lesson 9: one answer of the provider, and two callbacks that want it. React's StrictMode does that in development,
// when the callback is started by a component: it mounts each twice.

import { make } from "../../shared/dom.js";
import { words } from "./card.js";

/** @typedef {import("../lib/stage.js").Stage} Stage */

/**
 * Both exchange the code. The library keeps what belongs to the answer until the first has read it, and the second
 * reads it at the same moment.
 *
 * @param {Stage} stage
 */
export async function twice(stage) {
  const { client, url } = await answerOf(stage);
  const mounts = [client.processSigninResponse(url), client.processSigninResponse(url)];
  const told = (await Promise.allSettled(mounts)).map((result) =>
    result.status === "rejected" ? words(result.reason) : "new tokens",
  );
  return `one callback: ${told[0]}; the other: ${told[1]}`;
}

/**
 * The second begins when the first has finished, as after a reload. The library has forgotten the state by then, so the
 * provider hears nothing of it.
 *
 * @param {Stage} stage
 */
export async function onceAfterOnce(stage) {
  const { client, url } = await answerOf(stage);
  await client.processSigninResponse(url);
  const told = await client.processSigninResponse(url).then(() => "new tokens", words);
  return `the first callback: new tokens; the second: ${told}`;
}

/**
 * The first starts the exchange, the second gets the same promise.
 *
 * @param {Stage} stage
 */
export async function once(stage) {
  const { client, url } = await answerOf(stage);
  /** @type {ReturnType<typeof client.processSigninResponse> | undefined} */
  let exchange;
  const mount = () => {
    exchange ??= client.processSigninResponse(url);
    return exchange;
  };
  const [first] = await Promise.all([mount(), mount()]);
  await stage.callApi(first.access_token);
}

/**
 * The address at which the provider's answer arrived, which nobody has dealt with.
 *
 * @param {Stage} stage
 */
async function answerOf(stage) {
  const client = stage.client();
  const frame = make("iframe", "offscreen");
  frame.title = "silent renewal";
  const url = new Promise((resolve, reject) => {
    setTimeout(reject, 5000, new Error("no answer came back"));
    window.addEventListener("message", ({ source, data }) => {
      if (source === frame.contentWindow && data?.source === "oidc-client") resolve(data.url);
    });
  });
  const request = await client.createSigninRequest({ prompt: "none", request_type: "si:s" }); // "signin, silent"
  frame.src = request.url;
  document.body.append(frame);
  return { client, url: await url.finally(() => frame.remove()) };
}
