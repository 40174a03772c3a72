// The provider's clock: what it shows, and the buttons that move it.

import { byId } from "../../shared/dom.js";
import { change, get } from "./api.js";
import { attempt, shortDuration } from "./ui.js";

/** @typedef {{ now: string, offset: string, offset_s: number }} Clock */

export class ProviderClock {
  #ahead = 0; // of this computer's clock, in milliseconds

  constructor() {
    for (const button of document.querySelectorAll("[data-forward]"))
      if (button instanceof HTMLElement)
        button.addEventListener("click", () => void attempt(() => this.#move({ forward: button.dataset.forward })));
    byId("clock-real").addEventListener("click", () => void attempt(() => this.#move({ real: true })));
    setInterval(() => this.#tick(), 1000);
  }

  async load() {
    this.#show(await get("/clock"));
  }

  /** @param {object} how */
  async #move(how) {
    this.#show(await change("POST", "/clock", how));
  }

  /** @param {Clock} clock */
  #show({ now, offset, offset_s }) {
    this.#ahead = Date.parse(now) - Date.now();
    byId("clock-offset").textContent = offset_s
      ? `It is ${shortDuration(offset)} ahead of the real time.`
      : "It shows the real time.";
    byId("clock").dataset.moved = String(offset_s !== 0);
    byId("clock-real", HTMLButtonElement).disabled = offset_s === 0;
    this.#tick();
  }

  #tick() {
    byId("clock-now").textContent = new Date(Date.now() + this.#ahead).toLocaleString([], {
      dateStyle: "medium",
      timeStyle: "medium",
    });
  }
}
