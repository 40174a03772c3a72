// The banner that says what the failure lab does now, on every page of the demo and in the console. Pages of the
// provider without scripts have the same banner in their HTML.

import { make } from "./dom.js";

/** @typedef {{ text: string, until?: string }} Notice what GET /console/lab lists */

export class LabBanner {
  /** @type {Notice[]} */
  #notices = [];
  #element;
  #source;

  /**
   * @param {HTMLElement} element
   * @param {{ read: () => Promise<{notices: Notice[]}>, turnOff: () => Promise<{notices: Notice[]}> }} source
   */
  constructor(element, source) {
    this.#element = element;
    this.#source = source;
    setInterval(() => this.#draw(), 1000);
  }

  /** Asks the provider again. A provider that does not answer leaves the banner as it is. */
  async update() {
    const answer = await this.#source.read().catch(() => undefined);
    if (answer) this.#show(answer.notices);
  }

  /** @param {Notice[]} notices */
  #show(notices) {
    this.#notices = notices;
    this.#element.replaceChildren(make("div"), this.#button());
    this.#draw();
  }

  #button() {
    const button = make("button", "button small", "Turn off");
    button.type = "button";
    button.addEventListener("click", () => void this.#turnOff());
    return button;
  }

  async #turnOff() {
    const { notices } = await this.#source.turnOff();
    this.#show(notices);
  }

  /** Draws the notices that are not over, with the time that is left. */
  #draw() {
    const current = this.#notices.filter(({ until }) => !until || Date.parse(until) > Date.now());
    this.#element.hidden = current.length === 0;
    const lines = current.map((notice) => make("p", "", make("strong", "", "Failure lab:"), ` ${sentence(notice)}.`));
    this.#element.querySelector("div")?.replaceChildren(...lines);
  }
}

/** @param {Notice} notice */
function sentence({ text, until }) {
  if (!until) return text;
  const left = Math.max(Math.round((Date.parse(until) - Date.now()) / 1000), 0);
  return `${text}, ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} left`;
}
