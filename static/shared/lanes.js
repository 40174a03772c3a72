// The lanes of a renewal's diagram or picture, and the arrows between them. diagram.css draws both.

import { make } from "./dom.js";

/** @typedef {import("./renewal.js").Lane} Lane */
/** @typedef {Omit<import("./renewal.js").Telling, "hops">} Telling */

/** The names of the lanes. @param {Telling} telling */
export function laneHead({ lanes }) {
  const names = lanes.map(([lane, name]) => {
    const box = make("span", "", name);
    box.dataset.lane = lane;
    return box;
  });
  const row = make("div", "diagram-head", ...names);
  row.ariaHidden = "true"; // each message says by itself from whom it comes and to whom it goes
  return row;
}

/** An arrow between two lanes, from left to right 0, 1 and so on. @param {number} from @param {number} to */
export function arrowBetween(from, to) {
  const arrow = make("span", "arrow");
  arrow.ariaHidden = "true";
  arrow.dataset.direction = direction(from, to);
  place(arrow, from, to);
  return arrow;
}

/** Where style sheets find the two ends. @param {HTMLElement} element @param {number} from @param {number} to */
export function place(element, from, to) {
  element.style.setProperty("--from", String(from));
  element.style.setProperty("--to", String(to));
}

/** @param {number} from @param {number} to */
function direction(from, to) {
  if (from === to) return "self";
  return from < to ? "right" : "left";
}

/** A visible window and a hidden iframe share the second lane: one flow has one of them. @param {Telling} telling @param {Lane} lane */
export function laneOf({ lanes }, lane) {
  const at = lanes.findIndex(([id]) => id === lane);
  return at < 0 && (lane === "browser" || lane === "iframe") ? 1 : Math.max(0, at);
}

/** @param {Telling} telling @param {Lane} lane */
export function nameOf(telling, lane) {
  return telling.lanes[laneOf(telling, lane)]?.[1] ?? lane;
}
