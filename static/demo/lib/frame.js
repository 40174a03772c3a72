// Making the hidden iframe visible, on wish. It is there for some milliseconds only, so a frame stays behind it for a
// moment, with words.

import { byId, make } from "../../shared/dom.js";

const linger = 4000; // milliseconds

/** Connects the checkbox, and watches for iframes that an app adds to the body. */
export function watchFrames() {
  const box = byId("show-frame", HTMLInputElement);
  const apply = () => {
    document.body.dataset.showFrame = String(box.checked);
  };
  box.addEventListener("change", apply);
  apply(); // browsers keep the state of a checkbox through a reload
  /** @type {Map<Node, number>} when each came */
  const since = new Map();
  new MutationObserver((records) => {
    for (const node of records.flatMap((record) => [...record.addedNodes])) came(since, node);
    for (const node of records.flatMap((record) => [...record.removedNodes])) went(since, node, box.checked);
  }).observe(document.body, { childList: true });
}

/**
 * @param {Map<Node, number>} since
 * @param {Node} node
 */
function came(since, node) {
  if (node instanceof HTMLIFrameElement) since.set(node, performance.now());
}

/**
 * @param {Map<Node, number>} since
 * @param {Node} node
 * @param {boolean} shown
 */
function went(since, node, shown) {
  const start = since.get(node);
  since.delete(node);
  if (start !== undefined && shown) leaveTrace(Math.round(performance.now() - start));
}

/** @param {number} age in milliseconds */
function leaveTrace(age) {
  document.querySelector(".frame-trace")?.remove();
  const trace = make("p", "frame-trace small", `The hidden iframe was here for ${age} ms, and is removed.`);
  document.body.append(trace);
  setTimeout(() => trace.remove(), linger);
}
