// The end of a sign-in in a window. One call finishes both ways, by the state that the answer carries:
//   redirect  exchanges the code, stores the tokens, and gives the user: this page then goes to the app
//   ladder    the same, for a redirect with prompt=none, which may also bring an error: lib/renewal-ladder.js
//   popup     tells the window that opened it, which does the rest and closes this one

import { byId, make } from "../../shared/dom.js";
import { loadConfig } from "../lib/config.js";
import { show } from "../lib/message.js";
import { problemOf } from "../lib/problem.js";
import { comeBack } from "../lib/renewal-ladder.js";
import { settings } from "./settings.js";

await Promise.all([...document.querySelectorAll("link")].map(enable));
byId("finish").hidden = false;
await addLibrary();
if (globalThis.oidc) await finish(globalThis.oidc);
else say({ code: "library_missing" }, "");

/** The page has no style in the hidden iframe. @param {HTMLLinkElement} link */
function enable(link) {
  if (!link.disabled) return undefined;
  link.disabled = false;
  return settled(link);
}

function addLibrary() {
  const script = make("script");
  script.src = "/static/demo/vendor/oidc-client-ts.js";
  document.head.append(script);
  return settled(script);
}

/** Waits until the file of the element is there, or is known to be missing. @param {HTMLElement} element */
function settled(element) {
  return new Promise((resolve) => {
    element.onload = element.onerror = resolve;
  });
}

/** @param {typeof import("oidc-client-ts")} oidc */
async function finish(oidc) {
  const config = await loadConfig();
  const manager = new oidc.UserManager({ ...settings(config), automaticSilentRenew: false });
  try {
    const { user, page } = await comeBack(manager);
    if (page || user) location.replace(page ?? whereTo(user?.state)); // replace: the used code does not stay in the history
  } catch (error) {
    say(problemOf(error), config.issuer);
  }
}

/**
 * The page that began the sign-in, as it noted in `state`. It stood in this browser's own storage meanwhile.
 *
 * @param {unknown} state
 */
function whereTo(state) {
  return typeof state === "string" && /^\/(slow|lessons)\/(#[\w-]+)?$/.test(state) ? state : "/spa/";
}

/**
 * @param {import("../lib/problem.js").Problem} problem
 * @param {string} issuer
 */
function say(problem, issuer) {
  show(byId("message"), problem, { app: `${location.origin}/spa/`, issuer });
  byId("back").hidden = false;
}
