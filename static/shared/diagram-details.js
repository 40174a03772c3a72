// What one message of a diagram opens to: the request as it came, what was checked, the cookies, the answer.

import { specLink } from "./diagram-spec.js";
import { link, make } from "./dom.js";

/**
 * The data of package trace, as JSON.
 *
 * @typedef {{ name: string, text: string, decoded?: unknown }} Value
 * @typedef {{ at: string, kind: string, spec?: string, text: string, outcome: "ok" | "failed" | "noted", reason?: string,
 *   values?: Value[] | null }} Step
 * @typedef {{ name: string, text: string, direction: "sent" | "overlooked" | "withheld" | "set" | "removed", same_site?: string,
 *   secure?: boolean, http_only?: boolean, session: boolean }} Cookie
 * @typedef {{ site?: string, mode?: string, dest?: string, storage_access?: string }} Fetch
 * @typedef {{ id: string, flow_id: string, at: string, took: number, issuer: string, endpoint: string, method: string,
 *   path: string, client_id?: string, silent: boolean, origin?: string, referer?: string, user_agent?: string, fetch: Fetch,
 *   params?: Value[] | null, cookies?: Cookie[] | null, steps?: Step[] | null, status: number, location?: string,
 *   answer?: Value[] | null, error?: string, error_description?: string, reason?: string,
 *   asks?: "retry" | "bridge" }} Record
 */

/** @type {{ [direction: string]: [string, string]}} what became of a cookie, its colour and its words */
const directions = {
  sent: ["good", "sent by the browser"],
  overlooked: ["warn", "came, and was overlooked on purpose"],
  withheld: ["warn", "did not come"],
  set: ["info", "set by the answer"],
  removed: ["warn", "removed by the answer"],
};

/** Kinds of checks whose text is what should be, and not what was found. */
const conditions = new Set(["rule", "need"]);

const marks = { ok: "✓", failed: "✕", noted: "·" };
const outcomes = { ok: "passed", failed: "failed", noted: "noted" };

/** What comes with a request, rather than with its answer. */
const brought = new Set(["sent", "overlooked", "withheld"]);

/**
 * A request and its answer are one record and two arrows. The request opens to what came and what was checked, the answer
 * to what was sent, so that nothing is said twice.
 *
 * @param {Record} record
 * @param {"request" | "answer"} half
 */
export function recordDetails(record, half) {
  const came = record.cookies ?? [];
  const asked = [
    section("Cookies", cookies(came.filter(({ direction }) => brought.has(direction)))),
    section("Parameters", values(record.params ?? [])),
    section("What the browser says by itself", browserSays(record)),
  ];
  const checked = section("What was checked, in this order", checks(record.steps ?? []));
  const answered = [
    section("Cookies", cookies(came.filter(({ direction }) => !brought.has(direction)))),
    section("The answer", answer(record)),
  ];
  const all = isTold(record) ? [checked, ...answered, ...asked] : undefined;
  const order = all ?? (half === "request" ? [...asked, checked] : answered);
  return make("div", "opened stack tight", request(record), ...order);
}

/** One arrow that the application reported. @param {Record} record */
function isTold({ endpoint }) {
  return endpoint === "callback" || endpoint === "clock";
}

/** The first line of the request and of its answer. @param {Record} record */
function request(record) {
  if (isTold(record))
    return make("p", "soft", "The application told it: the provider does not see this message itself.");
  const said = record.status ? String(record.status) : "no answer: the connection was dropped";
  return make(
    "p",
    "request mono break",
    `${record.method} ${record.path}`,
    make("span", "soft", " → "),
    said,
    make("span", "soft", ` in ${duration(record.took)}${record.endpoint === "api" ? ", as the application told" : ""}`),
  );
}

/**
 * @param {string} title
 * @param {Node | null} content
 */
function section(title, content) {
  return content && make("section", "stack tight", make("h4", "", title), content);
}

/**
 * Kinds of checks that come in long rows. Where all of a row went well, one line stands for them.
 *
 * @type {{ [kind: string]: (count: number) => string }}
 */
const rows = {
  rule: (count) => `${count} rules of a good request, all passed`,
  need: (count) => `${count} conditions for an answer without a page, all met`,
};

/** @param {Step[]} steps */
export function checks(steps) {
  const said = steps.filter(({ kind }) => kind !== "error"); // the answer has it, and the check before it says why
  if (said.length === 0) return null;
  return make("ol", "checks", ...runs(said).flatMap((run) => (run.length > 2 ? row(run) : run.map(check))));
}

/** Joins neighbours that fit one line. @param {Step[]} steps */
function runs(steps) {
  /** @type {Step[][]} */
  const found = [];
  for (const step of steps) {
    const last = found.at(-1);
    const fits =
      step.outcome === "ok" && step.kind in rows && last?.[0]?.kind === step.kind && last[0].outcome === "ok";
    if (last && fits) last.push(step);
    else found.push([step]);
  }
  return found;
}

/** @param {Step[]} run */
function row(run) {
  const kind = run[0]?.kind ?? "";
  const summary = make("summary", "", rows[kind]?.(run.length) ?? "");
  const item = make("li", "", markOf("ok"), make("details", "", summary, make("ol", "checks", ...run.map(check))));
  item.dataset.outcome = "ok";
  return item;
}

/** @param {"ok" | "failed" | "noted"} outcome */
function markOf(outcome) {
  const mark = make("span", "mark", marks[outcome]);
  mark.ariaHidden = "true";
  return mark;
}

/** @param {Step} step */
function check(step) {
  const words = make(
    "p",
    "",
    conditions.has(step.kind) && step.outcome === "failed" && "Not so: ",
    step.text,
    make("span", "visually-hidden", ` (${outcomes[step.outcome]})`),
    step.reason && reasonTag(step.reason, step.outcome === "failed" ? "bad" : "warn"),
    step.spec && make("span", "spec", specLink(step.spec)),
  );
  const item = make("li", "", markOf(step.outcome), make("div", "stack tight", words, values(step.values ?? [])));
  item.dataset.outcome = step.outcome;
  item.dataset.kind = step.kind;
  return item;
}

/** @param {Cookie[]} list */
function cookies(list) {
  if (list.length === 0) return null;
  return make("ul", "cookies", ...list.map(cookieLine));
}

/** One cookie: what became of it, its name and its attributes. @param {Cookie} cookie */
export function cookieLine(cookie) {
  const [tone, words] = directions[cookie.direction] ?? ["", cookie.direction];
  const item = make(
    "li",
    "",
    make("span", `tag ${tone}`, words),
    make("code", "", cookie.name),
    make("span", "soft small", attributes(cookie)),
    cookie.text && make("span", "mono small soft break", cookie.text),
  );
  item.dataset.direction = cookie.direction;
  return item;
}

/** @param {Cookie} cookie */
function attributes(cookie) {
  return [
    cookie.session && "the session cookie",
    cookie.same_site && `SameSite=${cookie.same_site}`,
    cookie.secure && "Secure",
    cookie.http_only && "HttpOnly",
  ]
    .filter(Boolean)
    .join(", ");
}

/** @param {Record} record */
function browserSays(record) {
  return values(
    [
      { name: "Sec-Fetch-Site", text: record.fetch.site ?? "" },
      { name: "Sec-Fetch-Dest", text: record.fetch.dest ?? "" },
      { name: "Sec-Fetch-Mode", text: record.fetch.mode ?? "" },
      { name: "Sec-Fetch-Storage-Access", text: record.fetch.storage_access ?? "" },
      { name: "Origin", text: record.origin ?? "" },
      { name: "Referer", text: record.referer ?? "" },
    ].filter(({ text }) => text),
  );
}

/** @param {Record} record */
function answer(record) {
  const list = [
    { name: "Location", text: record.location ?? "" },
    { name: "error", text: record.error ?? "" },
    { name: "error_description", text: record.error_description ?? "" },
  ].filter(({ name, text }) => text && !record.answer?.some((value) => value.name === name));
  return values([...list, ...(record.answer ?? [])]);
}

/** Names and values, side by side; a token can be opened to what it says. @param {Value[]} list */
export function values(list) {
  if (list.length === 0) return null;
  return make("dl", "values", ...list.flatMap(pair));
}

/** @param {Value} value */
function pair(value) {
  const shown = make("dd", "mono break", value.text);
  if (value.decoded) shown.append(decoded(value.decoded));
  return [make("dt", "mono", value.name), shown];
}

/** @param {unknown} token */
function decoded(token) {
  const text = make("pre", "", JSON.stringify(token, null, 2));
  text.tabIndex = 0;
  return make(
    "details",
    "",
    make("summary", "small", "What it says (header and claims; its signature is not stored)"),
    text,
  );
}

/**
 * A reason code that leads to its paragraph at the provider.
 *
 * @param {string} issuer
 * @param {string} reason
 */
export function reasonLink(issuer, reason) {
  return link(`${issuer}/reasons/${encodeURIComponent(reason)}`, `What ${reason} means, and what to do`);
}

/**
 * The colour of a reason: red if it stopped the flow, else amber.
 *
 * @param {import("./diagram.js").Summary} flow
 * @param {string} reason
 */
export function reasonTone({ state, reasons }, reason) {
  const warns = reasons?.find(({ code }) => code === reason)?.warning;
  return state === "failed" && !warns ? "bad" : "warn";
}

/** @param {string} reason @param {"bad" | "warn"} tone */
export function reasonTag(reason, tone) {
  return make("span", `tag ${tone}`, reason);
}

/** Says that the failure lab changed an answer, so that nobody takes it for a real one. @param {string} fault */
export function faultTag(fault) {
  const tag = make("span", "tag warn", `failure lab: ${fault}`);
  tag.dataset.fault = fault;
  return tag;
}

/** What the hub said of a reason, as a sentence. @param {{ code: string, text: string }} reason */
export function reasonText({ code, text }) {
  return `${text.replace(` [${code}]`, "").replace(/\.$/, "")}. `;
}

/** Nanoseconds, as a person reads them. @param {number} nanoseconds */
export function duration(nanoseconds) {
  const ms = nanoseconds / 1e6;
  if (ms >= 10_000) return `${Math.round(ms / 1000)} s`;
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms >= 10 || ms === 0) return `${Math.round(ms)} ms`;
  return `${ms.toFixed(ms >= 1 ? 1 : 2)} ms`;
}
