// The two ways side by side: the public client renews in this page, then the confidential one at its server, and each
// draws what happened.

import { byId } from "../../shared/dom.js";
import { loadConfig } from "../lib/config.js";
import { show } from "../lib/message.js";
import { judge, problemOf, reachable } from "../lib/problem.js";
import { Provider } from "../lib/provider.js";
import { Stage } from "../lib/stage.js";

const config = await loadConfig();
const button = byId("renew-both", HTMLButtonElement);

/** @param {import("../lib/problem.js").Problem} problem */
function say(problem) {
  show(byId("message"), problem, { app: location.origin, issuer: config.issuer });
}

/** A stuck iframe is known long before the library's timer runs out. */
async function sayIfDown() {
  if (!(await reachable(config.issuer))) say({ code: "provider_down" });
}

/** @type {[string, string, (stage: Stage) => Promise<unknown>][]} */
const ways = [
  ["spa-way", "spa", (stage) => stage.renew()],
  ["web-way", "web", (stage) => stage.renewAtServer()],
];

/** @param {Stage} stage */
async function renewBoth(stage) {
  for (const [id, client, renew] of ways) {
    stage.open({ diagram: byId(id), client, page: say, stuck: () => void sayIfDown() });
    const said = byId(`${id}-said`);
    said.textContent = "Renewing …";
    try {
      await renew(stage);
      said.textContent = `Renewed without a page, in ${stage.timeline.age} ms, the API call included.`;
    } catch (error) {
      const problem = await judge(problemOf(error), { issuer: config.issuer, wasSignedIn: true });
      said.textContent = `Failed: ${problem.reason ?? problem.error ?? problem.code}`;
      say(problem);
    }
  }
}

if (!globalThis.oidc) say({ code: "library_missing" });
else {
  const stage = new Stage(globalThis.oidc, config, Provider.of(config.issuer));
  button.addEventListener("click", async () => {
    button.disabled = true; // one at a time
    byId("message").replaceChildren();
    await renewBoth(stage).finally(() => {
      button.disabled = false;
    });
  });
}
document.body.dataset.ready = "true";
