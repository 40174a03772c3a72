// The lessons' page: connects each card's buttons with what they do, and shows what came of it.

import { reasonText } from "../../shared/diagram-details.js";
import { byId } from "../../shared/dom.js";
import { loadConfig } from "../lib/config.js";
import { show } from "../lib/message.js";
import { Provider } from "../lib/provider.js";
import { explanationOf, reasonIn } from "../lib/reason.js";
import { Stage } from "../lib/stage.js";
import { settings } from "../spa/settings.js";
import { lessons } from "./lessons.js";

/** @typedef {import("../lib/timeline.js").Reasoned} Reasoned */
/** @typedef {"idle" | "causing" | "failed" | "fixing" | "fixed"} State */

/** @type {Record<State, [string, string]>} the tag's tone and words */
const tags = {
  idle: ["", "not tried yet"],
  causing: ["info", "happening now"],
  failed: ["bad", "failed, as it should"],
  fixing: ["info", "being repaired"],
  fixed: ["good", "repaired: it works"],
};

const timeout = 13_000; // milliseconds; the longest reason to find, callback.silent, takes ten seconds

class Card {
  /** @type {Reasoned[]} */
  #reasons = [];
  #told = ""; // by the provider's answer, when it has come
  /** @type {() => void} */
  #found = () => undefined;

  /**
   * @param {string} id
   * @param {import("./lessons.js").Lesson} lesson
   * @param {Stage} stage
   * @param {string} issuer
   */
  constructor(id, lesson, stage, issuer) {
    this.id = id;
    this.lesson = lesson;
    this.stage = stage;
    this.issuer = issuer;
    this.card = byId(`lesson-${id}`);
    this.expected = this.card.dataset.expected ?? "";
    this.part("cause").addEventListener("click", () => void alone(() => this.cause()));
    this.part("fix").addEventListener("click", () => void alone(() => this.fix()));
  }

  /** @param {string} name */
  part(name) {
    return byId(`lesson-${this.id}-${name}`);
  }

  async cause() {
    await this.stage.repair();
    this.#begin("causing", "diagram", "failed");
    this.part("fixed").hidden = true;
    this.part("said").textContent = "The app waits for its answer …";
    const found = this.#reasonFound();
    const told = await this.lesson
      .cause(this.stage)
      .then((noticed) => (typeof noticed === "string" ? noticed : "nothing"), words);
    await found;
    this.part("said").textContent = `What the app was told: ${told}`;
    this.#told = told;
    this.#showReason();
    this.#set("failed");
    this.part("fix").toggleAttribute("disabled", false);
  }

  async fix() {
    this.#begin("fixing", "fixed-diagram", "fixed");
    const works = this.part("works");
    works.className = "note info";
    works.textContent = "Renewing once more …";
    try {
      await this.lesson.fix(this.stage);
      works.className = "note good";
      works.textContent = "The same renewal, done again: it works.";
      this.#set("fixed");
    } catch (error) {
      works.className = "note bad";
      works.textContent = `It still fails: ${words(error)}`;
      this.#set("failed");
    }
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
    this.stage.open({
      diagram: this.part(diagram),
      client: this.lesson.client ?? "spa",
      reason: state === "causing" ? this.expected : undefined,
      blame: (reasons) => this.#blame(reasons),
      page: ({ reason, description }) => reason && this.#blame([{ code: reason, text: description ?? "", at: "" }]),
    });
  }

  /** Resolves when the expected reason was found, or when it is time to give up. */
  #reasonFound() {
    return new Promise((resolve) => {
      this.#found = () => resolve(undefined);
      setTimeout(resolve, timeout);
    });
  }

  /** @param {Reasoned[]} reasons */
  #blame(reasons) {
    if (this.#expectedOne() && !reasons.some(({ code }) => code === this.expected)) return; // a later renewal's, which says less
    this.#reasons = reasons;
    this.#showReason();
    if (this.card.dataset.state === "causing") {
      this.part("said").textContent =
        "The provider knows the reason already. The app may still be waiting, for ten seconds at most …";
    }
    if (this.#expectedOne()) this.#found();
  }

  #expectedOne() {
    return this.#reasons.find(({ code }) => code === this.expected);
  }

  /** The reason that was found; what the app itself was told ends with one, too. */
  #showReason() {
    const found = this.#expectedOne() ?? this.#reasons[0];
    const code = found?.code ?? reasonIn(this.#told) ?? "";
    const text = found?.text.replace(/ \[[a-z._]+\]$/, "") ?? ""; // the code stands before it already
    this.card.dataset.reason = code;
    const link = this.part("reason");
    link.textContent = code || "none was found";
    link.setAttribute("href", explanationOf(this.issuer, code));
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

/** @param {unknown} error */
function words(error) {
  return error instanceof Error ? error.message : String(error);
}

let busy = false;

/**
 * One lesson at a time: each changes the provider for all.
 *
 * @param {() => Promise<void>} act
 */
async function alone(act) {
  if (busy) return;
  busy = true;
  document.body.dataset.busy = "true";
  try {
    await act();
  } catch (error) {
    say({ code: "lesson_broken", description: words(error) });
  } finally {
    busy = false;
    document.body.dataset.busy = "false";
  }
}

const config = await loadConfig();
const provider = Provider.of(config.issuer);

/** @param {import("../lib/problem.js").Problem} problem */
function say(problem) {
  show(byId("message"), problem, { app: location.origin, issuer: config.issuer });
}

/** @param {typeof import("oidc-client-ts")} oidc */
async function begin(oidc) {
  const manager = new oidc.UserManager({ ...settings(config), automaticSilentRenew: false });
  byId("sign-in").addEventListener("click", () => void manager.signinRedirect({ state: "/lessons/" }));
  const user = await manager.getUser();
  document.body.dataset.signedIn = String(user !== null);
  if (user) welcome(user.profile.name ?? user.profile.sub);
  const stage = new Stage(oidc, config, provider);
  for (const [id, lesson] of Object.entries(lessons)) new Card(id, lesson, stage, config.issuer);
  window.addEventListener("pagehide", () => void stage.repair());
}

/** @param {string} name */
function welcome(name) {
  byId("ready").textContent = `You are signed in as ${name}: begin anywhere.`;
  byId("sign-in").textContent = "Sign in again";
  byId("sign-in").classList.remove("primary");
}

/** Without the provider's console no button could do what it says. */
function close() {
  for (const button of document.querySelectorAll("main button")) button.toggleAttribute("disabled", true);
  say({ code: "console_closed" });
}

if (!globalThis.oidc) say({ code: "library_missing" });
else if (!(await provider.isOpen())) close();
else await begin(globalThis.oidc);
document.body.dataset.ready = "true";
