// The one place where the page says what happened. It is a live region (role=status), so a screen reader hears it.

import { link, make } from "../../shared/dom.js";
import { pause } from "./drawing.js";
import { explanationOf, isMadeUp } from "./reason.js";
import { crossSite } from "./site.js";
import { textFor } from "./texts.js";

const madeUp =
  "The failure lab of {issuer} made this failure. The lines below say what such an answer means when no failure lab is on.";

/**
 * Shows the words for problem.code in the element, and leaves the code in data-code, the OAuth error code that was on
 * the wire, if any, in data-error, and the provider's reason code in data-reason.
 *
 * @param {HTMLElement} element
 * @param {import("./problem.js").Problem} problem
 * @param {{app: string, issuer: string}} names what {app} and {issuer} stand for
 */
export function show(element, problem, names) {
  const { tone, title, text, todo = [] } = textFor(problem);
  const note = make("div", `note ${tone} stack tight`, make("strong", "", title));
  if (isMadeUp(problem.description)) note.append(make("p", "made-up", ...links(madeUp, names)));
  note.append(make("p", "", ...links(text, names)));
  if (problem.description) note.append(make("p", "small", "Reported: ", make("q", "", problem.description)));
  if (problem.reason) note.append(reasonLine(problem.reason, names.issuer));
  if (todo.length > 0) note.append(list(todo, names));
  element.replaceChildren(note);
  element.dataset.code = problem.code;
  element.dataset.error = problem.error ?? "";
  element.dataset.reason = problem.reason ?? "";
  if (tone !== "good") reveal(element);
}

/** Moves the page only when a reader would see nothing of the message. @param {HTMLElement} element */
function reveal(element) {
  const { top, bottom } = element.getBoundingClientRect();
  if (top > window.innerHeight - 48 || bottom < 48) element.scrollIntoView({ block: "nearest" });
}

/**
 * Removes the message: its codes at once, its words after a pause. A quick renewal shows the next message before the
 * end of the pause, so the page does not move.
 *
 * @param {HTMLElement} element
 */
export function clear(element) {
  if (!element.dataset.code) return;
  const [note] = element.children;
  setTimeout(() => note?.remove(), pause);
  element.dataset.code = "";
  element.dataset.error = "";
  element.dataset.reason = "";
}

/**
 * @param {string} reason
 * @param {string} issuer
 */
function reasonLine(reason, issuer) {
  const code = link(explanationOf(issuer, reason), reason); // in a new tab: this page's state would be lost
  code.className = "mono";
  return make("p", "", make("strong", "", "Reason, as the provider found it: "), code);
}

/**
 * @param {string[]} todo
 * @param {{app: string, issuer: string}} names
 */
function list(todo, names) {
  const items = todo.map((line) => make("li", "", ...links(line, names)));
  return make("ul", "", ...items);
}

/**
 * The text with {app} and {issuer} filled in, and web addresses as links.
 *
 * @param {string} text
 * @param {{app: string, issuer: string}} names
 */
function links(text, { app, issuer }) {
  const filled = text
    .replaceAll("{card}", document.querySelector("#ladder:not([hidden])") ? "the card below" : "the page {app}/spa/")
    .replaceAll("{sites}", crossSite(app, issuer) ? "are different sites" : "are the same site")
    .replaceAll("{app}", app)
    .replaceAll("{issuer}", issuer);
  return filled.split(/(https?:\/\/[^\s()]*[\w/])/).map((part, index) => (index % 2 ? addressLink(part) : part));
}

/** @param {string} address */
function addressLink(address) {
  const element = make("a", "break", address);
  element.setAttribute("href", address);
  return element;
}
