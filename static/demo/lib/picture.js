// The picture of a silent renewal: its lanes, and one arrow for each message. It takes its colours from what was seen.

import { make } from "../../shared/dom.js";
import { arrowBetween, laneHead, laneOf, nameOf, place } from "../../shared/lanes.js";

/** @typedef {import("../../shared/renewal.js").Hop} Hop */
/** @typedef {import("../../shared/renewal.js").Telling} Telling */
/** @typedef {import("../../shared/renewal.js").StepState} StepState */
/** @typedef {"idle" | "sent" | "withheld"} CookieState */

/** @type {Record<CookieState, string>} */
const cookieWords = { idle: "session cookie", sent: "session cookie ✓", withheld: "no session cookie ✕" };

/**
 * @param {HTMLElement} element to draw into
 * @param {Telling} telling
 */
export function createPicture(element, telling) {
  const items = new Map(telling.hops.map((hop) => [hop.id, item(hop, telling)]));
  const list = make("ol", "lanes hops", ...items.values());
  element.style.setProperty("--lanes", String(telling.lanes.length));
  element.replaceChildren(laneHead(telling), list);

  return {
    /** @param {string} id of a hop @param {StepState} state */
    hop(id, state) {
      const there = items.get(id);
      if (there) there.dataset.state = state;
    },
    /** Did the iframe come back with an error instead of a code? @param {boolean} refused */
    refused(refused) {
      for (const hop of telling.hops.filter((hop) => hop.refused)) {
        const words = items.get(hop.id)?.querySelector(".text > span");
        words?.replaceChildren((refused && hop.refused) || hop.text);
      }
    },
    /** @param {number} n @param {StepState} state of the whole step */
    step(n, state) {
      for (const hop of telling.hops) if (hop.step === n) this.hop(hop.id, stateIn(hop, state));
      if (n === 2) this.cookie(state === "done" ? "sent" : "idle"); // a code shows that the cookie came
    },
    /** @param {CookieState} state */
    cookie(state) {
      const cookie = list.querySelector(".cookie");
      if (!(cookie instanceof HTMLElement)) return;
      cookie.dataset.cookie = state;
      cookie.textContent = cookieWords[state];
    },
  };
}

/** @param {Hop} hop @param {StepState} state @returns {StepState} */
function stateIn({ place }, state) {
  if (place === "first") return state === "idle" ? "idle" : "done";
  if (place === "last") return state === "done" ? "done" : "idle";
  return state;
}

/** @param {Hop} hop @param {Telling} telling */
function item({ id, path, text, cookie }, telling) {
  const lanes = path.map((lane) => laneOf(telling, lane));
  const names = path.map((lane) => nameOf(telling, lane));
  const arrows = lanes.slice(1).map((to, i) => arrowBetween(lanes[i] ?? 0, to));
  const words = make(
    "span",
    "words",
    make("span", "badge", id),
    make("span", "visually-hidden", ` ${names.join(" to ")}: `),
    make("span", "text", make("span", "", text)),
  );
  const item = make("li", "", words, make("span", "track", ...arrows), cookie && cookieOn(lanes));
  item.dataset.hop = id;
  item.dataset.state = "idle";
  place(item, lanes[0] ?? 0, lanes.at(-1) ?? 0);
  return item;
}

/** The cookie, which travels along the last arrow or stays behind. @param {number[]} lanes */
function cookieOn(lanes) {
  const cookie = make("span", "cookie", cookieWords.idle);
  cookie.dataset.cookie = "idle";
  const track = make("span", "cookie-track", cookie);
  place(track, lanes.at(-2) ?? 0, lanes.at(-1) ?? 0);
  return track;
}
