// The cookie history: what became of the cookies, request by request.

import { cookieLine } from "../../shared/diagram-details.js";
import { byId, make, settle } from "../../shared/dom.js";
import { clockTime } from "./ui.js";

/** @typedef {import("../../shared/diagram-details.js").Record} Record */

/** @param {Record[]} records that have cookies */
export function drawCookies(records) {
  const newest = records.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at));
  const quiet = newest.filter(needsNone);
  drawList(
    "cookie-history",
    newest.filter((record) => !needsNone(record)),
  );
  drawList("cookie-rest", quiet);
  byId("cookie-more").hidden = quiet.length === 0;
  byId("cookie-count").textContent = String(quiet.length);
  byId("no-cookies").hidden = records.length > 0;
}

/** Came without a cookie where nobody expects one: only /authorize looks for the session. @param {Record} record */
function needsNone({ endpoint, cookies }) {
  return endpoint !== "authorize" && (cookies ?? []).every(({ direction }) => direction === "withheld");
}

/** @param {string} id of the list @param {Record[]} records */
function drawList(id, records) {
  const list = byId(id);
  const old = new Map([...list.children].map((item) => [/** @type {HTMLElement} */ (item).dataset.record, item]));
  settle(
    list,
    records.map((record) => /** @type {HTMLElement} */ (old.get(record.id) ?? entry(record))),
  );
}

/** @param {Record} record */
function entry(record) {
  const item = make(
    "li",
    "stack tight",
    make(
      "p",
      "row",
      clockTime(record.at),
      make("code", "", `${record.method} ${record.path}`),
      record.client_id && make("span", "soft", record.client_id),
      make("span", "tag", whence(record)),
    ),
    make("ul", "cookies", ...(record.cookies ?? []).map(cookieLine)),
  );
  item.dataset.record = record.id;
  return item;
}

/** Where the browser says the request comes from (Fetch Metadata). @param {Record} record */
function whence({ fetch }) {
  const where = { document: "window", iframe: "iframe", empty: "script" }[fetch.dest ?? ""] ?? fetch.dest;
  const relation = fetch.site === "none" ? "typed or bookmarked" : fetch.site;
  const access = fetch.storage_access ? `storage access: ${fetch.storage_access}` : "";
  return [where, relation, access].filter(Boolean).join(", ") || "the browser does not say from where";
}
