// The card of a lesson: its two buttons, and what came of them.

import { reasonText } from "../../shared/diagram-details.js";
import { byId } from "../../shared/dom.js";
import { explanationOf, reasonIn } from "../lib/reason.js";

/** @typedef {import("../lib/timeline.js").Reasoned} Reasoned */
/** @typedef {import("../lib/stage.js").Stage} Stage */
/** @typedef {"idle" | "causing" | "failed" | "fixing" | "fixed"} State */

/** @type {Record<State, [string, string]>} the tag's tone and words */
const tags = {
  idle: ["", "not tried yet"],
  causing: ["info", "happening now"],
  failed: ["bad", "caused"],
  fixing: ["info", "being repaired"],
  fixed: ["good", "repaired"],
};

const timeout = 13_000; // milliseconds; the longest reason to find, callback.silent, takes ten seconds

export class Card {
  /** @type {Reasoned[]} */
  #reasons = [];
  #told = ""; // by the provider's answer, when it has come
  #choice = ""; // of the lesson's causes; the fix is for the same
  #expected = ""; // reason
  /** @type {() => void} */
  #found = () => undefined;

  /**
   * @param {string} id
   * @param {import("./lessons.js").Lesson} lesson
   * @param {{ stage: Stage, issuer: string, alone: (act: () => Promise<void>) => Promise<void>, done: (id: string) => void }} page
   */
  constructor(id, lesson, page) {
    this.id = id;
    this.lesson = lesson;
    this.page = page;
    this.card = byId(`lesson-${id}`);
    this.part("cause").addEventListener("click", () => void page.alone(() => this.cause()));
    this.part("fix").addEventListener("click", () => void page.alone(() => this.fix()));
  }

  /** @param {string} name */
  part(name) {
    return byId(`lesson-${this.id}-${name}`);
  }

  async cause() {
    const { stage } = this.page;
    await stage.repair();
    this.#choose();
    this.#begin("causing", "diagram", "failed");
    this.part("fixed").hidden = true;
    const found = this.#reasonFound();
    const stop = this.#countDown();
    const told = await this.lesson
      .cause(stage, this.#choice)
      .then((noticed) => (typeof noticed === "string" ? noticed : "no error"), words);
    stop();
    this.part("said").textContent = `What the app's code got: ${told}`;
    await found;
    this.#told = told;
    this.#showReason();
    this.#set("failed");
    this.part("fix").toggleAttribute("disabled", false);
  }

  async fix() {
    this.#begin("fixing", "fixed-diagram", "fixed");
    const works = this.part("works");
    works.className = "note info";
    works.textContent = "This page renews again …";
    try {
      const result = await this.lesson.fix(this.page.stage, this.#choice);
      works.className = "note good";
      works.textContent = typeof result === "string" ? result : "The same renewal was repeated, and it works.";
      this.#set("fixed");
      this.page.done(this.id);
    } catch (error) {
      works.className = "note bad";
      works.textContent = `It still fails: ${words(error)}`;
      this.#set("failed");
    }
  }

  /** Which of several causes, and which reason it has. */
  #choose() {
    const chosen = this.card.querySelector("input:checked");
    const { value = "", dataset } = chosen instanceof HTMLInputElement ? chosen : { dataset: this.card.dataset };
    this.#choice = value;
    this.#expected = dataset.expected || this.card.dataset.expected || "";
  }

  /** Says how long the app may still wait, once a second. Returns what stops it. */
  #countDown() {
    const begun = performance.now();
    const draw = () => {
      const left = Math.max(Math.round((this.lesson.seconds ?? 10) - (performance.now() - begun) / 1000), 0);
      const known = this.#expectedOne() ? "The provider has found the reason (below). " : "";
      const waits = this.lesson.seconds ? "This page watches for" : "The app waits for its answer, for at most";
      this.part("said").textContent = `${known}${waits} ${left} s more.`;
    };
    draw();
    const timer = setInterval(draw, 1000);
    return () => clearInterval(timer);
  }

  /**
   * @param {State} state
   * @param {string} diagram
   * @param {string} section to open
   */
  #begin(state, diagram, section) {
    this.#reasons = [];
    this.#told = "";
    this.part(section).hidden = false;
    this.part(diagram).replaceChildren();
    this.#set(state);
    this.page.stage.open({
      diagram: this.part(diagram),
      client: this.lesson.client ?? "spa",
      reason: state === "causing" ? this.#expected : undefined,
      blame: (reasons) => this.#blame(reasons),
      page: ({ reason, description }) => reason && this.#blame([{ code: reason, text: description ?? "", at: "" }]),
    });
  }

  /** Resolves when the expected reason was found, or when it is time to give up. */
  #reasonFound() {
    return new Promise((resolve) => {
      this.#found = () => resolve(undefined);
      setTimeout(resolve, this.#expected === "none" ? 0 : timeout);
    });
  }

  /** @param {Reasoned[]} reasons */
  #blame(reasons) {
    if (this.#expectedOne() && !reasons.some(({ code }) => this.#shows(code))) return; // a later renewal's, which says less
    this.#reasons = reasons;
    this.#showReason();
    if (this.#expectedOne()) this.#found();
  }

  #expectedOne() {
    return this.#reasons.find(({ code }) => this.#shows(code));
  }

  /** @param {string} code */
  #shows(code) {
    return code === this.#expected || (this.lesson.reasons?.includes(code) ?? false);
  }

  /** The reason that was found. The message that the app got ends with one too. */
  #showReason() {
    const found = this.#expectedOne() ?? (this.#expected === "none" ? undefined : this.#reasons[0]);
    const code = found?.code ?? reasonIn(this.#told) ?? "";
    const text = found?.text.replace(/ \[[a-z._]+\]$/, "") ?? ""; // the code stands before it already
    this.card.dataset.reason = code;
    const link = this.part("reason");
    link.textContent = code || "none for this renewal";
    link.setAttribute("href", explanationOf(this.page.issuer, code));
    this.part("text").textContent = this.#told.includes(text) ? "" : reasonText({ code, text });
  }

  /** @param {State} state */
  #set(state) {
    this.card.dataset.state = state;
    const [tone, label] = tags[state];
    const tag = this.part("state");
    tag.className = `tag ${tone}`;
    tag.textContent = label;
  }
}

/** An error as a developer sees it in the console of the browser. @param {unknown} error */
export function words(error) {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
