// The page's half of Session Management 1.0 §3: it asks the provider's iframe at intervals whether the user's session there
// is still the one of session_state. The iframe reads the provider's own cookie and sends nothing over the network.
//
//   import { watchSession } from "./monitor.js";
//   const stop = await watchSession("/web/monitor", { changed: renewSilently, failed: console.warn });

/**
 * @typedef {object} Monitoring
 * @property {string} check_session_iframe
 * @property {string} origin
 * @property {string} client_id
 * @property {string} session_state
 */

/**
 * Watches until the session changes, or the returned function is called. After "changed" the page renews silently; when that
 * succeeds, it calls this function again, because the session_state is another one.
 * @param {string} monitor where RP.Monitor is mounted
 * @param {{changed: () => void, failed: (why: string) => void, every?: number}} options every: milliseconds; default 2000
 * @returns {Promise<() => void>} ends the watch
 */
export async function watchSession(monitor, { changed, failed, every = 2000 }) {
  const answer = await fetch(monitor);
  const body = await answer.json();
  if (!answer.ok) {
    failed(body.error);
    return () => {};
  }
  return watch(body, { changed, failed, every });
}

/**
 * @param {Monitoring} m
 * @param {{changed: () => void, failed: (why: string) => void, every: number}} options
 * @returns {() => void}
 */
function watch(m, { changed, failed, every }) {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.title = "session check";
  frame.src = m.check_session_iframe;
  const ask = () => frame.contentWindow?.postMessage(`${m.client_id} ${m.session_state}`, m.origin);
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  const stop = () => {
    clearInterval(timer);
    removeEventListener("message", receive);
    frame.remove();
  };
  /** @param {MessageEvent} event */
  const receive = (event) => {
    if (event.source !== frame.contentWindow || event.origin !== m.origin || event.data === "unchanged") return;
    stop();
    if (event.data === "changed") changed();
    else failed(String(event.data)); // "error": §3.2, the RP must not renew then
  };
  addEventListener("message", receive);
  const begin = () => {
    ask();
    timer = setInterval(ask, every);
  };
  frame.addEventListener("load", begin, { once: true });
  document.body.append(frame);
  return stop;
}
