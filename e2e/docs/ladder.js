import * as oidc from "oidc-client-ts";
import { RenewalLadder } from "./renewal-ladder.js";
import { settings } from "./settings.js";

const manager = new oidc.UserManager(settings);
const ladder = new RenewalLadder(oidc, manager, { decided: ({ rung, why }) => console.info(rung, why) });

export async function renew(way = () => ladder.renew()) {
  try {
    return await way();
  } catch (error) {
    if (error.step === undefined || error.step.rung === "sign_in") return manager.signinRedirect();
    return showButton(error.step);
  }
}

function showButton({ rung, why }) {
  const button = Object.assign(document.querySelector("#step"), { textContent: rung, title: why });
  button.onclick = () => renew(() => ladder.take(rung, document.querySelector("#frame")));
}
