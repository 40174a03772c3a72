// Small things that the tabs have in common.

import { byId, make } from "../../shared/dom.js";
import { Refused } from "./api.js";

/**
 * Says something to the person, above the tabs. Empty words take the message away.
 *
 * @param {string} words
 * @param {"good" | "bad" | ""} [tone]
 */
export function say(words, tone = "") {
  const message = byId("message");
  message.className = `note ${tone}`;
  message.textContent = words;
}

/**
 * Does something and shows what the provider refused.
 *
 * @param {() => Promise<unknown>} act
 */
export async function attempt(act) {
  try {
    say("");
    await act();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say(error.message, "bad");
  }
}

/**
 * @param {string} words
 * @param {() => Promise<unknown>} act
 * @param {string} [className]
 */
export function button(words, act, className = "button small") {
  const element = make("button", className, words);
  element.type = "button";
  element.addEventListener("click", () => void attempt(act));
  return element;
}

/** A text to copy, with the button that does it. @param {string} name @param {string} text */
export function copyable(name, text) {
  const shown = make("pre", "", text);
  shown.tabIndex = 0;
  shown.ariaLabel = name;
  const copy = button(`Copy`, async () => {
    await navigator.clipboard.writeText(text);
    say(`${name}: copied.`, "good");
  });
  copy.append(make("span", "visually-hidden", ` ${name}`));
  return make("div", "stack tight", make("div", "row spread", make("strong", "small", name), copy), shown);
}

/** The time of day, and the day when it is another than today. @param {string} at RFC 3339 */
export function clockTime(at) {
  const date = new Date(at);
  const today = date.toDateString() === new Date().toDateString();
  const words = today
    ? date.toLocaleTimeString()
    : date.toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });
  const time = make("time", "number", words);
  time.dateTime = at;
  return time;
}

const times = new Set(["exp", "iat", "nbf", "auth_time"]);

/**
 * The time that a claim has in seconds since 1970, in UTC; empty for another claim.
 *
 * @param {string} name
 * @param {unknown} value
 */
export function timeOf(name, value) {
  const date = new Date(Number(value) * 1000);
  if (!times.has(name) || typeof value !== "number" || Number.isNaN(date.getTime())) return "";
  return date.toISOString().replace(".000", "");
}

/** @param {HTMLSelectElement} select @param {{ value: string, text: string }[]} options */
export function setOptions(select, options) {
  const chosen = select.value;
  select.replaceChildren(
    ...options.map(({ value, text }) => {
      const option = make("option", "", text);
      option.value = value;
      return option;
    }),
  );
  if (options.some(({ value }) => value === chosen)) select.value = chosen;
}

/** A duration of Go without what is zero: 2h instead of 2h0m0s. @param {string} text */
export function shortDuration(text) {
  return text.replace(/m0s$/, "m").replace(/h0m$/, "h");
}
