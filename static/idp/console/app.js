// The console: tabs that load when they are shown, and flows that arrive by themselves.

import { byId } from "../../shared/dom.js";
import { LabBanner } from "../../shared/labbanner.js";
import { change, get, labChanged } from "./api.js";
import { Check } from "./check.js";
import { Clients } from "./clients.js";
import { ProviderClock } from "./clock.js";
import { drawCookies } from "./cookies.js";
import { Flows } from "./flows.js";
import { Keys, Users } from "./inventory.js";
import { Lab } from "./lab.js";
import { Sessions } from "./sessions.js";
import { Store } from "./store.js";
import { Try } from "./try.js";
import { attempt } from "./ui.js";

const store = new Store(draw, connected);
const flows = new Flows(store);
const tries = new Try(store);
const lab = new Lab();
const check = new Check();
const clock = new ProviderClock();
const banner = new LabBanner(byId("lab-on"), {
  read: () => get("/lab"),
  turnOff: async () => {
    const off = await change("POST", "/lab/off");
    await tabs[shown]?.load();
    return off;
  },
});
addEventListener(labChanged, () => void banner.update());

/** @type {{ [tab: string]: { load: () => Promise<void> } }} flows and cookies have all they need */
const tabs = {
  flows: { load: () => Promise.resolve() },
  cookies: { load: () => Promise.resolve() },
  lab: { load: async () => void (await Promise.all([lab.load(), clock.load()])) },
  try: tries,
  check,
  sessions: new Sessions(),
  clients: new Clients(),
  keys: new Keys(),
  users: new Users(),
};

let shown = "";

/** Shows the tab that the address names. What follows a question mark is for the tab. */
function show() {
  const named = location.hash.slice(1).split("?")[0] ?? "";
  shown = named in tabs ? named : "flows";
  for (const name of Object.keys(tabs)) byId(name).hidden = name !== shown;
  document.title = `${byId(`${shown}-title`).textContent} · Console · Hush`;
  for (const link of document.querySelectorAll("#tabs a"))
    link.setAttribute("aria-current", String(link.getAttribute("href") === `#${shown}`));
  void attempt(() => tabs[shown]?.load() ?? Promise.resolve());
}

/** Something happened: what follows from it is drawn. */
function draw() {
  flows.draw();
  tries.draw();
  drawCookies(store.cookies);
  check.changed();
  countFaults();
  byId("console").dataset.ready = "true";
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let counting;

/** A fault may have been used. Asked at most once a second: a client that loops makes many events. */
function countFaults() {
  if (counting) return;
  counting = setTimeout(() => {
    counting = undefined;
    void lab.refresh().catch(() => undefined); // the live tag says when nobody answers
    void banner.update();
  }, 1000);
}

/** @param {boolean} live */
function connected(live) {
  byId("live").textContent = live ? "live" : "connection lost, trying again";
  byId("live").className = `tag ${live ? "good" : "bad"}`;
}

addEventListener("hashchange", show);
document.addEventListener("visibilitychange", () => document.hidden || show()); // somebody may have signed in elsewhere
show();
store.watch();
