// The sequence diagram of one flow: its messages, in which of the four steps, and where it stopped.
//
//   App      Hidden iframe      Provider      API
//    │ ───────────────────────────▶ │           │      every arrow is a <details>: it opens to the request's
//    │             │ ◀───────────── │           │      parameters, checks, cookies and answer
//
// The list is drawn anew as often as the flow changes; what did not change stays the same element, so that an opened
// message stays open and the keyboard stays where it is.

import { duration, faultTag, reasonLink, reasonTag, reasonText, reasonTone, recordDetails } from "./diagram-details.js";
import { make, settle } from "./dom.js";
import { arrowBetween, laneHead, laneOf, nameOf, place } from "./lanes.js";
import { tellings } from "./renewal.js";

/** @typedef {import("./diagram-details.js").Record} Record */

/**
 * The data of package trace, as JSON. What only a page knows has `source`, in `about` the words that it opens to, and in
 * `request` the request that the message stands for, such as "GET /api/me".
 *
 * @typedef {import("./renewal.js").Lane} Lane
 * @typedef {"done" | "failed" | "waiting" | "unseen"} State
 * @typedef {{ step: number, from: Lane, to: Lane, text: string, state: State, at: string, took?: number, record?: string,
 *   reason?: string, faults?: string[], page?: boolean, source?: "browser", about?: string, request?: string }} Message
 * @typedef {{ code: string, text: string, at: string, warning?: boolean }} Reasoned
 * @typedef {{ id: string, client_id?: string, issuer: string, silent: boolean, state: "open" | "done" | "failed", at: string,
 *   took?: number, reasons?: Reasoned[] | null, begins?: string, grant_type?: string, steps?: (State | "")[],
 *   faults?: string[] }} Summary
 * @typedef {Summary & { messages?: Message[] | null, records?: Record[] | null }} Flow
 */

/**
 * @typedef {object} Options
 * @property {Record[]} [records] what messages open to, found by id; default: those of the flow
 * @property {(message: Message) => Record | undefined | Promise<Record | undefined>} [onOpen] asked for a record that is not among them
 * @property {Message[]} [extra] what the page saw by itself, merged by time
 * @property {Telling} [telling] lanes and steps; default: those of any client
 */

/** @typedef {Omit<import("./renewal.js").Telling, "hops">} Telling */

/** Step 4 where the provider's userinfo is asked, too. @type {[string, string]} */
const twoUses = [
  "The app uses the new access token",
  "It asks the provider’s /userinfo for the user’s claims, and calls its API, which checks signature, issuer, audience and expiry by itself.",
];

/** Step 2 where the provider sends nothing to the app. @type {[string, string]} */
const noRedirect = [
  "The provider answers with a page, without a redirect",
  "So the app gets neither a code nor an error. The provider refuses a request in this way if its client or its redirect URI is not registered, before it looks at its session cookie.",
];

/** Step 3 where step 2 gave no code. @type {[string, string]} */
const noCode = ["The app learns that it failed", "There is no code to exchange. The answer carries the error instead."];

const stateWords = {
  done: "",
  failed: "it stopped here",
  waiting: "not seen yet",
  unseen: "inferred",
};

/**
 * Draws flow into element, or draws it again.
 *
 * @param {HTMLElement} element
 * @param {Flow} flow
 * @param {Options} [options]
 */
export function drawFlow(element, flow, options = {}) {
  const telling = options.telling ?? (flow.silent ? tellings.any : tellings.visible);
  const list = listOf(element, flow, telling);
  const first = list.childElementCount === 0;
  list.dataset.state = flow.state;
  const old = new Map([...list.children].map((item) => [keyOf(item), /** @type {HTMLElement} */ (item)]));
  const messages = merge(flow.messages ?? [], options.extra ?? []);
  const keys = keysOf(messages);
  const items = messages.map((message, i) => {
    const item = old.get(keys[i] ?? "") ?? newItem(keys[i] ?? "", !first);
    const caption = messages[i - 1]?.step === message.step ? undefined : captionOf(telling, messages, message);
    update(item, flow, message, { ...options, telling }, caption);
    return item;
  });
  settle(list, items);
}

/** The <ol> in element; another flow begins a new one. @param {HTMLElement} element @param {Flow} flow @param {Telling} telling */
function listOf(element, flow, telling) {
  const there = element.querySelector("ol.diagram");
  if (there instanceof HTMLElement && there.dataset.flow === flow.id) return there;
  const list = make("ol", "lanes diagram");
  list.dataset.flow = flow.id;
  element.style.setProperty("--lanes", String(telling.lanes.length));
  element.replaceChildren(laneHead(telling), list);
  return list;
}

/** One list on one clock; among equals the provider's own comes first. @param {Message[]} ours @param {Message[]} extra */
function merge(ours, extra) {
  if (extra.length === 0) return ours;
  return [...ours, ...extra].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/** A name for each message that stays while the flow goes on. @param {Message[]} messages */
function keysOf(messages) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  return messages.map((m) => {
    const key = [m.step, m.from, m.to, m.record, m.source].join("|");
    seen.set(key, (seen.get(key) ?? 0) + 1);
    return `${key}|${seen.get(key)}`;
  });
}

/** @param {Element} item */
function keyOf(item) {
  return item instanceof HTMLElement ? (item.dataset.key ?? "") : "";
}

/** @param {string} key @param {boolean} arrives in front of the reader */
function newItem(key, arrives) {
  const item = make("li", arrives ? "arrives" : "");
  item.dataset.key = key;
  return item;
}

/**
 * @param {HTMLElement} item
 * @param {Flow} flow
 * @param {Message} message
 * @param {Options} options
 * @param {[string, string] | undefined} caption of the step that it is the first of
 */
function update(item, flow, message, options, caption) {
  const record = (options.records ?? flow.records ?? []).find(({ id }) => id === message.record);
  const version = JSON.stringify([message, caption, record, toneOf(flow, message)]);
  if (item.dataset.version === version) return;
  item.dataset.version = version;
  const telling = options.telling ?? tellings.any;
  mark(item, message, telling);
  item.dataset.request = message.request ?? requestOf(message, record);
  const details = item.querySelector("details") ?? make("details");
  details.replaceChildren(summary(flow, message, telling));
  const open = () => void fill(details, flow, message, record, options);
  details.ontoggle = () => details.open && open();
  if (details.open) open();
  item.querySelector(".step-head")?.remove();
  if (details.parentElement !== item) item.append(details);
  if (caption) item.prepend(stepHead(flow.silent ? message.step : 0, caption));
}

/** The colour of the reason of the message, which changes when the flow fails. @param {Flow} flow @param {Message} message */
function toneOf(flow, { reason }) {
  return reason && reasonTone(flow, reason);
}

/** What style sheets and tests read. @param {HTMLElement} item @param {Message} message @param {Telling} telling */
function mark(item, message, telling) {
  item.dataset.step = String(message.step);
  item.dataset.from = message.from;
  item.dataset.to = message.to;
  item.dataset.state = message.state;
  item.dataset.reason = message.reason ?? "";
  item.dataset.source = message.source ?? "provider";
  const [from, to] = [laneOf(telling, message.from), laneOf(telling, message.to)];
  place(item, from, to);
  item.dataset.side = Math.max(from, to) === telling.lanes.length - 1 ? "end" : "start";
}

/** The request to the provider that the message stands for, as the provider saw it. @param {Message} message @param {Record | undefined} record */
function requestOf({ from, to }, record) {
  const isRequest = record && to === "provider" && from !== "provider" && record.path !== "";
  return isRequest ? `${record.method} ${record.path}` : "";
}

/** @param {Telling} telling @param {Message[]} messages @param {Message} first of its step */
function captionOf(telling, messages, { step, page }) {
  if (step === 2 && page) return noRedirect;
  const refused = messages.some((message) => message.step === 2 && message.state === "failed");
  if (step === 3 && refused) return noCode;
  if (step === 4 && messages.some((message) => message.step === 4 && message.to === "provider")) return twoUses;
  return telling.steps[step];
}

/** Number, name and reason of a step, before its first message. Only a silent renewal counts steps: 0 is without a number. @param {number} step @param {[string, string]} caption */
function stepHead(step, [title, why]) {
  return make(
    "div",
    "step-head",
    step > 0 && make("span", "step-number", String(step)),
    make("p", "", make("strong", "", title), " ", make("span", "soft", why)),
  );
}

/** The arrow and its words. @param {Flow} flow @param {Message} message @param {Telling} telling */
function summary(flow, message, telling) {
  const state = stateWords[message.state] ?? message.state;
  const after = Date.parse(message.at) - Date.parse(flow.at);
  const words = make(
    "span",
    "words",
    make("span", "visually-hidden", `${nameOf(telling, message.from)} to ${nameOf(telling, message.to)}: `),
    make("span", "text", message.text),
    message.reason && reasonTag(message.reason, reasonTone(flow, message.reason)),
    ...(message.faults ?? []).map(faultTag),
    state && message.state !== "failed" && make("span", "tag", state),
    state && message.state === "failed" && make("span", "visually-hidden", state),
    Number.isFinite(after) && make("span", "when soft number", when(after, message)),
  );
  const arrow = arrowBetween(laneOf(telling, message.from), laneOf(telling, message.to));
  return make("summary", "", words, arrow);
}

/** @param {number} after the flow began, in milliseconds @param {Message} message */
function when(after, message) {
  if (message.state === "waiting") return "";
  const at = `+${duration(Math.max(0, Math.round(after)) * 1e6)}`;
  return message.took ? `${at}, took ${duration(message.took)}` : at;
}

/**
 * @param {HTMLDetailsElement} details
 * @param {Flow} flow
 * @param {Message} message
 * @param {Record | undefined} known
 * @param {Options} options
 */
async function fill(details, flow, message, known, options) {
  const record = known ?? (await options.onOpen?.(message));
  const content = record ? recordDetails(record, halfOf(message)) : nothing(message);
  if (message.reason)
    content.prepend(make("p", "", why(flow, message.reason), reasonLink(flow.issuer, message.reason)));
  details.querySelector(".opened")?.remove();
  details.append(content);
}

/** The provider and the API answer; the others ask, or tell. @param {Message} message */
function halfOf({ from }) {
  return from === "provider" || from === "api" ? "answer" : "request";
}

/** What the hub said about this reason. @param {Flow} flow @param {string} reason */
function why(flow, reason) {
  const told = (flow.reasons ?? []).find(({ code }) => code === reason);
  return told ? reasonText(told) : "";
}

const stateAbout = {
  waiting: "Expected next, but not seen yet.",
  unseen: "This happens where the provider cannot look: in the browser. It is inferred from what came before or after.",
  done: "There is nothing more to show about it.",
  failed: "There is nothing more to show about it.",
};

/** @param {Message} message */
function browserAbout({ state }) {
  if (state === "unseen") return "Neither this page nor the provider can see it. This page infers it from what it saw.";
  return "Seen by the page itself: there is no request to the provider to show.";
}

/** @param {Message} message */
function nothing(message) {
  const about = message.source === "browser" ? browserAbout(message) : stateAbout[message.state];
  return make("div", "opened stack tight", make("p", "soft", message.about || about));
}
