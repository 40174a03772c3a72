// The picture and the list of the four steps. Nothing here moves by itself: a step changes only because somebody
// saw it happen and says so, and every line under a step is such an observation with its time.

import { byId, make } from "../../shared/dom.js";

/** @typedef {"idle" | "active" | "done" | "failed"} State */
/** @typedef {1 | 2 | 3 | 4} Step */

/** @type {Record<State, string>} */
const words = { idle: "not yet", active: "happening now", done: "done", failed: "failed" };

export function createSteps() {
  let start = performance.now();

  return {
    /** A new silent renewal: all steps are open again, and times count from here. */
    begin() {
      start = performance.now();
      for (const n of /** @type {Step[]} */ ([1, 2, 3, 4])) reset(n);
    },
    /**
     * A step that happens by itself, outside a renewal: only it is open again, and its times count from here.
     *
     * @param {Step} n
     */
    alone(n) {
      start = performance.now();
      reset(n);
    },
    /**
     * @param {Step} n
     * @param {State} state
     * @param {string} [seen] what was observed
     */
    set(n, state, seen) {
      mark(n, state);
      if (seen) this.add(n, seen);
    },
    /**
     * @param {Step} n
     * @param {string} seen
     * @param {number} at as performance.now() counts
     */
    add(n, seen, at = performance.now()) {
      factsOf(n).append(make("li", "", make("span", "number soft", `${elapsed(at - start)} `), seen));
    },
    /** @param {Step} n */
    stateOf: (n) => byId(`step-${n}`).dataset.state,
  };
}

/** @param {Step} n */
function reset(n) {
  mark(n, "idle");
  factsOf(n).replaceChildren();
}

/**
 * @param {Step} n
 * @param {State} state
 */
function mark(n, state) {
  const step = byId(`step-${n}`);
  step.dataset.state = state;
  byId(`picture-${n}`, SVGElement).dataset.state = state;
  const label = step.querySelector(".state");
  if (label) label.textContent = words[state];
}

/** @param {Step} n */
function factsOf(n) {
  return byId(`step-${n}-facts`);
}

/** @param {number} milliseconds */
function elapsed(milliseconds) {
  if (milliseconds < 10_000) return `+${Math.round(milliseconds)} ms`;
  return `+${Math.round(milliseconds / 1000)} s`;
}
