// The picture and the list of the four steps. Nothing here moves by itself: a step changes only because somebody
// saw it happen and says so, and every line under a step is such an observation with its time.

import { byId, make } from "../../shared/dom.js";
import { drawingOf } from "./drawing.js";
import { createPicture } from "./picture.js";

/** @typedef {import("../../shared/renewal.js").StepState} State */
/** @typedef {import("../../shared/renewal.js").Step} Step */
/** @typedef {import("../../shared/renewal.js").Telling} Telling */

/** @type {Record<State, string>} */
const words = { idle: "not yet", active: "happening now", done: "done", failed: "failed" };

/** @type {Step[]} */
const all = [1, 2, 3, 4];

/** @param {Telling} telling whose steps they are */
export function createSteps(telling) {
  const picture = createPicture(byId("picture"), telling);
  byId("steps").replaceChildren(...all.map((n) => stepItem(n, telling)));
  let start = performance.now();
  const steps = new Map(all.map((n) => [n, fresh()]));
  const draw = drawingOf(() => {
    for (const [n, step] of steps) {
      picture.step(n, step.state);
      drawStep(n, step);
    }
    picture.refused(refused);
    if (refused) picture.hop("3a", "done"); // the iframe passes an error on like a code
  });
  let renewing = false;
  let refused = false;
  const changed = () => draw(renewing);

  return {
    /** A new silent renewal: all steps are open again, and times count from here. */
    begin() {
      start = performance.now();
      renewing = true;
      refused = false;
      for (const n of all) steps.set(n, fresh());
      changed();
    },
    /**
     * A step that happens by itself, outside a renewal: only it is open again, and its times count from here.
     *
     * @param {Step} n
     */
    alone(n) {
      start = performance.now();
      steps.set(n, fresh());
      changed();
    },
    /**
     * @param {Step} n
     * @param {State} state
     * @param {string} [seen] what was observed
     */
    set(n, state, seen) {
      Object.assign(steps.get(n) ?? {}, { state });
      if (state === "failed" || (n === 3 && state === "done")) renewing = false;
      if (seen) this.add(n, seen);
      changed();
    },
    /**
     * @param {Step} n
     * @param {string} seen
     * @param {number} at as performance.now() counts
     */
    add(n, seen, at = performance.now()) {
      steps.get(n)?.facts.push(make("li", "", make("span", "number soft", `${elapsed(at - start)} `), seen));
      changed();
    },
    /** The iframe came back with an error instead of a code. */
    refuse() {
      refused = true;
      changed();
    },
    /** Brings the picture into view when somebody presses the button: on a phone it is below it. */
    look() {
      byId("picture").scrollIntoView({ block: "nearest" });
    },
    /** @param {Step} n */
    stateOf: (n) => steps.get(n)?.state,
  };
}

/** @param {Step} n @param {Telling} telling */
function stepItem(n, telling) {
  const [caption, how] = telling.steps[n] ?? ["", ""];
  const state = make("span", "visually-hidden", "State: ");
  const facts = make("ul", "seen small");
  facts.id = `step-${n}-facts`;
  const item = make(
    "li",
    "",
    make("p", "caption", caption),
    make("p", "soft small", how),
    make("p", "small", state, make("span", "tag state", words.idle)),
    facts,
  );
  item.id = `step-${n}`;
  item.dataset.state = "idle";
  return item;
}

/** @returns {{ state: State, facts: HTMLElement[] }} */
function fresh() {
  return { state: "idle", facts: [] };
}

/**
 * @param {Step} n
 * @param {{ state: State, facts: HTMLElement[] }} step
 */
function drawStep(n, { state, facts }) {
  const step = byId(`step-${n}`);
  step.dataset.state = state;
  const label = step.querySelector(".state");
  if (label) label.textContent = words[state];
  byId(`step-${n}-facts`).replaceChildren(...facts);
}

/** @param {number} milliseconds */
function elapsed(milliseconds) {
  if (milliseconds < 10_000) return `+${Math.round(milliseconds)} ms`;
  return `+${Math.round(milliseconds / 1000)} s`;
}
