// The last stop of every way to sign in. One call finishes all three, by the state that the answer carries:
//   redirect  exchanges the code, stores the tokens, and gives the user: this page then goes to the app
//   popup     tells the window that opened it, which does the rest and closes this one
//   iframe    tells the page around it, which does the rest and removes this one
// Keep this page small: it runs inside the hidden iframe at every renewal. The whole app here would start there, too.

import { byId } from "../../shared/dom.js";
import { loadConfig } from "../lib/config.js";
import { show } from "../lib/message.js";
import { problemOf } from "../lib/problem.js";
import { settings } from "./settings.js";

if (globalThis.oidc) await finish(globalThis.oidc);
else say({ code: "library_missing" }, "");

/** @param {typeof import("oidc-client-ts")} oidc */
async function finish(oidc) {
  const config = await loadConfig();
  const manager = new oidc.UserManager({ ...settings(config), automaticSilentRenew: false });
  try {
    const user = await manager.signinCallback();
    if (user) location.replace(whereTo(user.state)); // replace: the used code does not stay in the history
  } catch (error) {
    // In the iframe nobody would see it; there the waiting page notices by its timer.
    if (window === window.top) say(problemOf(error), config.issuer);
  }
}

/**
 * The page that began the sign-in, as it noted in `state`. It stood in this browser's own storage meanwhile.
 *
 * @param {unknown} state
 */
function whereTo(state) {
  return state === "/lessons/" ? state : "/spa/";
}

/**
 * @param {import("../lib/problem.js").Problem} problem
 * @param {string} issuer
 */
function say(problem, issuer) {
  show(byId("message"), problem, { app: `${location.origin}/spa/`, issuer });
  byId("back").hidden = false;
}
