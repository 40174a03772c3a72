// The lessons' page: connects each card's buttons with what they do.

import { byId } from "../../shared/dom.js";
import { loadConfig } from "../lib/config.js";
import { show } from "../lib/message.js";
import { Provider } from "../lib/provider.js";
import { Stage } from "../lib/stage.js";
import { settings } from "../spa/settings.js";
import { Card, words } from "./card.js";
import { lessons } from "./lessons.js";
import { Progress } from "./progress.js";

const ids = [...document.querySelectorAll(".lesson")].map(({ id }) => id.replace("lesson-", ""));
const progress = new Progress(ids);
const config = await loadConfig();
const provider = Provider.of(config.issuer);
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

/** @param {import("../lib/problem.js").Problem} problem */
function say(problem) {
  show(byId("message"), problem, { app: location.origin, issuer: config.issuer });
}

/** @param {typeof import("oidc-client-ts")} oidc */
async function begin(oidc) {
  const manager = new oidc.UserManager({ ...settings(config), automaticSilentRenew: false });
  byId("sign-in").addEventListener("click", () => void manager.signinRedirect({ state: `/lessons/${location.hash}` }));
  const user = await manager.getUser();
  document.body.dataset.signedIn = String(user !== null);
  if (user) welcome(user.profile.name ?? user.profile.sub);
  const stage = new Stage(oidc, config, provider);
  const page = { stage, issuer: config.issuer, alone, done: (/** @type {string} */ id) => progress.done(id) };
  for (const [id, lesson] of Object.entries(lessons)) new Card(id, lesson, page);
  window.addEventListener("pagehide", () => void stage.repair());
}

/** @param {string} name */
function welcome(name) {
  byId("ready").textContent = `You are signed in as ${name}. Start with any lesson.`;
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
