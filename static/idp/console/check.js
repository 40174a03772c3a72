// Check my app: the findings about one client, which change while the developer uses the app.

import { specLink } from "../../shared/diagram-spec.js";
import { byId, link, make, settle } from "../../shared/dom.js";
import { change, get } from "./api.js";
import { attempt, clockTime, setOptions } from "./ui.js";

/**
 * @typedef {"holds" | "fails" | "not_seen" | "cannot_see"} Outcome
 * @typedef {{ check: string, topic: string, text: string, outcome: Outcome, seen?: string, inferred?: string, spec: string,
 *   reason?: string, do?: string, call?: string, remedy?: string, flow?: string }} Finding
 * @typedef {{ role: "callback" | "start", url: string, at: string, problem?: string, status?: number, led_to?: string, redirects_to?: string,
 *   headers?: { name: string, value: string }[], meta_csp?: string[] }} FetchedPage
 * @typedef {{ client_id: string, library: string, inferred: boolean, libraries: string[], findings: Finding[],
 *   pages: FetchedPage[] }} CheckList
 */

/** The words of each outcome, for one and for several, and its colour. @type {{ [outcome in Outcome]: string[] }} */
const outcomes = {
  fails: ["fails", "fail", "bad"],
  holds: ["holds", "hold", "good"],
  not_seen: ["not seen yet", "not seen yet", "info"],
  cannot_see: ["cannot be seen", "cannot be seen", ""],
};

/** The addresses of the provider; the issuer may have a path. */
const base = new URL("../../..", import.meta.url);

export class Check {
  /** @type {Map<string, HTMLDetailsElement>} by the name of the check */
  #items = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #waiting;

  constructor() {
    byId("check-form").addEventListener("change", () => {
      history.replaceState(null, "", checkAddress(chosen().client_id)); // so that the choice outlasts the address
      void attempt(() => this.#judge());
    });
    byId("check-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void attempt(() => this.#fetch());
    });
  }

  async load() {
    const { clients } = await get("/clients");
    const ids = clients.map((/** @type {any} */ { client }) => client.client_id);
    const select = byId("check-client", HTMLSelectElement);
    const shown = addressed() || select.value || (await newestClient(ids));
    offer(
      select,
      ids.map((/** @type {string} */ id) => ({ value: id, text: id })),
    );
    if (ids.includes(shown)) select.value = shown;
    if (ids.length > 0) await this.#judge();
  }

  /** Something happened at the provider. It is judged at most twice a second, and only while the tab is shown. */
  changed() {
    if (byId("check").hidden || this.#waiting) return;
    this.#waiting = setTimeout(() => {
      this.#waiting = undefined;
      void this.load().catch(() => undefined); // the live tag shows when the provider does not answer
    }, 500);
  }

  async #judge() {
    const { client_id, library } = chosen();
    const query = new URLSearchParams({ client: client_id });
    if (library) query.set("library", library);
    this.#show(await get(`/checks?${query}`));
  }

  async #fetch() {
    const button = byId("check-fetch", HTMLButtonElement);
    button.ariaBusy = "true";
    try {
      this.#show(await change("POST", "/checks", chosen()));
    } finally {
      button.ariaBusy = null;
    }
  }

  /** @param {CheckList} list */
  #show({ client_id, library, inferred, libraries, findings, pages }) {
    offer(byId("check-library", HTMLSelectElement), [
      { value: "", text: "as the requests show" },
      ...libraries.map((name) => ({ value: name, text: name })),
    ]);
    byId("check-inferred").hidden = !inferred;
    byId("check-inferred").textContent =
      library === "other"
        ? "No request has the signs of a library that the provider knows, so the remedies name no settings."
        : `Inferred: the requests have the signs of ${library}.`;
    summarize(findings);
    byId("check-pages").hidden = pages.length === 0;
    byId("check-page-list").replaceChildren(...pages.map(fetchedPage));
    this.#draw(client_id, findings);
  }

  /** @param {string} client @param {Finding[]} findings */
  #draw(client, findings) {
    const list = byId("check-list");
    const topics = [...new Set(findings.map(({ topic }) => topic))];
    const old = new Map([...list.children].map((card) => [/** @type {HTMLElement} */ (card).dataset.topic, card]));
    settle(
      list,
      topics.map((topic) => {
        const card = /** @type {HTMLElement} */ (old.get(topic) ?? topicCard(topic));
        const items = findings.filter((finding) => finding.topic === topic).map((f) => this.#item(client, f));
        settle(/** @type {HTMLElement} */ (card.lastElementChild), items);
        return card;
      }),
    );
  }

  /** The element of a finding; the one before, if it says the same. @param {string} client @param {Finding} finding */
  #item(client, finding) {
    const known = this.#items.get(finding.check);
    const says = JSON.stringify([client, finding]);
    if (known?.dataset.says === says) return known;
    const item = element(finding);
    item.dataset.says = says;
    item.open = finding.outcome === "fails" || (known?.open === true && known.dataset.outcome === finding.outcome);
    this.#items.set(finding.check, item);
    return item;
  }
}

/** The address of the tab, for one client. @param {string} client */
export function checkAddress(client) {
  return client ? `#check?${new URLSearchParams({ client })}` : "#check";
}

/** The client that the address of the tab names. */
function addressed() {
  return new URLSearchParams(location.hash.split("?")[1]).get("client") ?? "";
}

/** The choices of the developer. */
function chosen() {
  const library = byId("check-library", HTMLSelectElement).value;
  return { client_id: byId("check-client", HTMLSelectElement).value, ...(library ? { library } : {}) };
}

const roles = { callback: "The callback page", start: "The page of the app" };

/** @param {FetchedPage} page */
function fetchedPage({ role, url, at, problem, status, led_to, redirects_to, headers = [], meta_csp = [] }) {
  const lines = [
    ...headers.map(({ name, value }) => `${name}: ${value}`),
    ...meta_csp.map((policy) => `<meta http-equiv="Content-Security-Policy" content="${policy}">`),
  ];
  return make(
    "li",
    "stack tight",
    make("p", "", `${roles[role]}, `, make("code", "break", url), ", at ", clockTime(at), `: ${problem ?? status}`),
    led_to && make("p", "", "It redirected to ", make("code", "break", led_to)),
    redirects_to && make("p", "", "It redirects to ", make("code", "break", redirects_to)),
    make("ul", "bare", ...lines.map((line) => make("li", "", make("code", "break", line)))),
  );
}

/** Sets the options if they are others: a list that is open would close. @type {typeof setOptions} */
function offer(select, options) {
  const same = options.length === select.length && options.every(({ value }, i) => select.options[i]?.value === value);
  if (!same) setOptions(select, options);
}

/** The client of the newest flow. @param {string[]} ids @returns {Promise<string>} */
async function newestClient(ids) {
  const { flows } = await get("/flows");
  return flows.find((/** @type {any} */ { client_id }) => ids.includes(client_id))?.client_id ?? "";
}

/** @param {Finding[]} findings */
function summarize(findings) {
  const tags = Object.entries(outcomes).map(([outcome, [one, several, tone]]) => {
    const count = findings.filter((finding) => finding.outcome === outcome).length;
    const tag = make("span", `tag ${count ? tone : ""}`, `${count} ${count === 1 ? one : several}`);
    tag.dataset.outcome = outcome;
    return tag;
  });
  const summary = byId("check-summary");
  const text = tags.map((tag) => tag.textContent).join();
  if (summary.dataset.text === text) return; // a screen reader says a changed status only
  summary.dataset.text = text;
  summary.replaceChildren(...tags);
}

/** @param {string} topic */
function topicCard(topic) {
  const card = make("div", "card flat stack tight", make("h3", "", topic), make("div", ""));
  card.dataset.topic = topic;
  return card;
}

/** @param {Finding} finding */
function element(finding) {
  const [words, , tone] = outcomes[finding.outcome];
  const item = make(
    "details",
    "finding",
    make("summary", "", make("span", `tag ${tone}`, words ?? ""), make("span", "", finding.text)),
    make("dl", "", ...rows(finding).flatMap(([term, ...value]) => [make("dt", "", term), make("dd", "", ...value)])),
  );
  item.dataset.check = finding.check;
  item.dataset.outcome = finding.outcome;
  return item;
}

/** @param {Finding} finding @returns {[string, ...(string | Node)[]][]} */
function rows({ seen, inferred, reason, remedy, call, spec, flow, do: todo }) {
  const all = /** @type {[string, ...(string | Node)[]][]} */ ([]);
  if (seen) all.push(["Seen", seen]);
  if (inferred) all.push(["Inferred", inferred]);
  if (todo) all.push(["To do", todo]);
  if (call) all.push(["Code", make("code", "", call)]);
  if (remedy) all.push(["Remedy", make("span", "remedy", remedy)]);
  if (reason) all.push(["Reason", link(new URL(`reasons/${reason}`, base).href, reason)]);
  all.push(["Section", specLink(spec)]);
  if (flow)
    all.push(["Flow", link(new URL(`console/flows/${flow}?format=transcript`, base).href, `transcript of ${flow}`)]);
  return all;
}
