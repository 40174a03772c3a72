// One lesson at a time: the list, which lesson is shown, and which are done. The address names the lesson, so that a
// link leads to it. A sign-in leaves the page, so this tab's storage remembers what is done.

import { byId, make } from "../../shared/dom.js";

const key = "hush-lessons-done";

export class Progress {
  #ids;
  /** @type {Set<string>} */
  #done;

  /** @param {string[]} ids of the lessons, in order */
  constructor(ids) {
    this.#ids = ids;
    this.#done = new Set(JSON.parse(sessionStorage.getItem(key) ?? "[]"));
    for (const [i, id] of ids.entries()) this.#addNext(id, ids[i + 1]);
    if (!matchMedia("(min-width: 48rem)").matches) byId("lesson-list").removeAttribute("open");
    else for (const drawn of document.querySelectorAll("details.drawn")) drawn.setAttribute("open", "");
    addEventListener("hashchange", () => this.#show(true));
    this.#show(false);
    this.#draw();
  }

  /** @param {string} id */
  done(id) {
    this.#done.add(id);
    sessionStorage.setItem(key, JSON.stringify([...this.#done]));
    this.#draw();
  }

  /** Shows the lesson that the address names; the first, if it names none. @param {boolean} move the focus there */
  #show(move) {
    const named = location.hash.replace("#lesson-", "");
    const shown = this.#ids.includes(named) ? named : this.#ids[0];
    for (const id of this.#ids) {
      byId(`lesson-${id}`).hidden = id !== shown;
      byId(`lesson-${id}-link`).toggleAttribute("aria-current", id === shown);
    }
    if (!move) return;
    byId(`lesson-${shown}-title`).focus();
    byId(`lesson-${shown}`).scrollIntoView();
  }

  #draw() {
    byId("lessons-done").textContent = String(this.#done.size);
    for (const id of this.#ids) {
      const item = byId(`lesson-${id}-link`).parentElement;
      if (!item || !this.#done.has(id) || item.dataset.done) continue;
      item.dataset.done = "true";
      item.append(make("span", "tick", " ✓"), make("span", "visually-hidden", " (done)"));
    }
  }

  /** @param {string} id @param {string | undefined} next */
  #addNext(id, next) {
    const place = document.querySelector(`#lesson-${CSS.escape(id)} .lesson-next`);
    if (!next) {
      place?.remove();
      return;
    }
    const link = make("a", "button", `Next: ${byId(`lesson-${next}-link`).textContent}`);
    link.href = `#lesson-${next}`;
    place?.append(link);
  }
}
