// The cookie history: what became of the cookies, request by request.

import { cookieLine } from "../../shared/diagram-details.js";
import { byId, make, settle } from "../../shared/dom.js";
import { clockTime } from "./ui.js";

/** @typedef {import("../../shared/diagram-details.js").Record} Record */

/** @param {Record[]} records that have cookies */
export function drawCookies(records) {
  const newest = records.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at));
  const list = byId("cookie-history");
  const old = new Map([...list.children].map((item) => [/** @type {HTMLElement} */ (item).dataset.record, item]));
  settle(
    list,
    newest.map((record) => /** @type {HTMLElement} */ (old.get(record.id) ?? entry(record))),
  );
  byId("no-cookies").hidden = records.length > 0;
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
