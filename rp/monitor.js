// The page's half of Session Management 1.0 §3: it asks the provider's iframe, again and again, whether the user's session
// there is still the one that this application was told of. The iframe reads the provider's own cookie; nothing goes over
// the network.
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
 * Watches until the session changes, or the returned function is called. After "changed" the page renews silently, and watches
 * anew when that succeeds: the session_state is another one then.
 * @param {string} monitor where RP.Monitor is mounted
 * @param {{changed: () => void, failed: (why: string) => void, every?: number}} told every: milliseconds, 2000 unless given
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
 * @param {{changed: () => void, failed: (why: string) => void, every: number}} told
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
    removeEventListener("message", hear);
    frame.remove();
  };
  /** @param {MessageEvent} event */
  const hear = (event) => {
    if (event.source !== frame.contentWindow || event.origin !== m.origin || event.data === "unchanged") return;
    stop();
    if (event.data === "changed") changed();
    else failed(String(event.data)); // "error": §3.2, the RP must not renew then
  };
  addEventListener("message", hear);
  const begin = () => {
    ask();
    timer = setInterval(ask, every);
  };
  frame.addEventListener("load", begin, { once: true });
  document.body.append(frame);
  return stop;
}
