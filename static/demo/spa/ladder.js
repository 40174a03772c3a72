// The card about a browser that blocks the provider's cookie: what renews here, measured, and a button for each step.

import { byId, make } from "../../shared/dom.js";
import { problemOf } from "../lib/problem.js";
import { RenewalLadder, StepNeeded } from "../lib/renewal-ladder.js";
import { crossSite } from "../lib/site.js";

/** @typedef {import("../lib/renewal-ladder.js").ClickRung} ClickRung */
/** @typedef {import("../lib/renewal-ladder.js").Step} Step */
/** @typedef {import("../lib/renewal-ladder.js").Access} Access */
/** @typedef {[name: string, works: "yes" | "no" | "click" | "unknown", answer: string]} Row */

/** @type {ClickRung[]} */
const buttons = ["fedcm", "ask", "refresh_token", "redirect"];

const works = { yes: "works", no: "does not work", click: "needs a click", unknown: "not measured" };

/**
 * @typedef {object} Tell
 * @property {() => void} begin a click begins a step
 * @property {(problem: import("../lib/problem.js").Problem) => void} say
 * @property {(error: unknown) => void} failed for another reason than the cookie
 * @property {() => void} renewedByToken
 */

export class LadderCard {
  #ladder;
  #tell;
  #turn = 0;
  #seen = false; // somebody can see the table: only then it measures, because each measurement loads two pages

  /**
   * Shows the card if app and provider are two sites.
   *
   * @param {typeof import("oidc-client-ts")} oidc
   * @param {import("oidc-client-ts").UserManager} manager
   * @param {Tell} tell
   */
  constructor(oidc, manager, tell) {
    this.#tell = tell;
    const decided = (/** @type {Step} */ step) => this.#show(step);
    this.#ladder = new RenewalLadder(oidc, manager, { decided, renewed: () => void this.#measure() });
    if (!crossSite(location.origin, manager.settings.authority)) return;
    byId("ladder").hidden = false;
    for (const rung of buttons) byId(`ladder-${rung}`).addEventListener("click", () => void this.#take(rung));
    byId("ladder-measure").addEventListener("click", () => void this.#measure());
    const layout = byId("layout-measured"); // measured by the header of the page, after a sign-in for example
    new MutationObserver(() => void this.#measure()).observe(layout, { attributeFilter: ["data-measured"] });
    if (this.#ladder.decision) this.#show(this.#ladder.decision);
    const visible = new IntersectionObserver((entries) => {
      this.#seen = entries.at(-1)?.isIntersecting ?? false;
      void this.#measure();
    });
    visible.observe(byId("ladder-rows"));
  }

  /** A renewal failed that the app or oidc-client-ts began. @param {unknown} error */
  async failed(error) {
    await this.#ladder.next(error);
  }

  /** @param {ClickRung} rung */
  async #take(rung) {
    this.#tell.begin();
    try {
      await this.#ladder.take(rung, byId("ladder-frame"));
      if (this.#ladder.decision?.rung === "refresh_token") this.#tell.renewedByToken();
    } catch (error) {
      if (error instanceof StepNeeded) this.#tell.say(refusal(rung, error));
      else this.#tell.failed(error);
    }
    await this.#measure();
  }

  /** @param {Step} step */
  #show({ rung, why }) {
    const words = byId("ladder-why");
    words.hidden = false;
    words.textContent = why;
    words.dataset.rung = rung;
    for (const name of buttons) byId(`ladder-${name}`).classList.toggle("primary", name === rung);
  }

  async #measure() {
    if (!this.#seen) return;
    const turn = ++this.#turn;
    const place = byId("ladder-probe");
    const [can, bridge, allowed] = await Promise.all([
      this.#ladder.capabilities(),
      this.#ladder.measure(place, true),
      this.#ladder.measure(place, false),
    ]);
    if (turn !== this.#turn) return; // a later one has begun
    /** @type {Row[]} */
    const rows = [
      alone(byId("layout-measured")),
      ["Hidden iframe, after a sign-in by FedCM", ...access(bridge, can.fedcm.possible, "Sign in by FedCM first.")],
      ["Hidden iframe, after access was allowed", ...access(allowed, can.ask.possible, "Press Ask the browser.")],
      ["Refresh token", can.refresh_token.possible ? "yes" : "no", can.refresh_token.why || noCookie],
      ["Redirect of the whole page", "unknown", "It would leave this page. The cookie is first-party there."],
    ];
    byId("ladder-rows").replaceChildren(...rows.map(row));
    byId("ladder").dataset.measured = `${bridge} ${allowed}`;
  }
}

const noCookie = "The provider's metadata names the grant type refresh_token. POST /token needs no cookie.";

/** The hidden iframe by itself. @param {HTMLElement} layout what the header of the page measured @returns {Row} */
function alone(layout) {
  const { measured = "" } = layout.dataset;
  const result = measured === "session" ? "yes" : "no";
  const known = ["session", "cookie", "none", "withheld", "absent"].includes(measured);
  return ["Hidden iframe alone", known ? result : "unknown", layout.textContent ?? ""];
}

/**
 * @param {Access} told by the provider's page in a hidden iframe
 * @param {boolean} possible
 * @param {string} todo
 * @returns {["yes" | "no" | "click", string]}
 */
function access(told, possible, todo) {
  if (!possible || told === "unsupported") return ["no", "This way does not exist here."];
  if (told === "granted") return ["yes", "The browser gave a hidden iframe access without a click."];
  if (told === "refused") return ["no", "The provider's page did not load."];
  return ["click", `requestStorageAccess() without a click was refused. ${todo}`];
}

/** @param {Row} row */
function row([name, result, answer]) {
  const tone = { yes: "good", no: "bad", click: "warn", unknown: "info" }[result];
  const head = make("th", "", name);
  head.setAttribute("scope", "row");
  const line = make(
    "tr",
    "",
    head,
    make("td", "", make("span", `tag ${tone}`, works[result])),
    make("td", "small", answer),
  );
  line.dataset.works = result;
  return line;
}

/** The step was refused; or it was not, and the renewal after it failed. @param {ClickRung} rung @param {StepNeeded} error */
function refusal(rung, { cause }) {
  const { error, description } = problemOf(cause);
  return { code: error ? "granted_in_vain" : `${rung}_refused`, error, description };
}
