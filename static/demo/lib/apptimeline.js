// The timeline of the page's own app, and above it the reasons that the provider found.

import { reasonText } from "../../shared/diagram-details.js";
import { byId, link, make } from "../../shared/dom.js";
import { explanationOf } from "./reason.js";
import { Timeline } from "./timeline.js";

/** @typedef {import("./provider.js").Provider} Provider */

/**
 * The timeline of the page's own app, fed by what the provider saw.
 *
 * @param {Provider} provider
 * @param {{issuer: string, clientId: string, telling: import("../../shared/renewal.js").Telling,
 *   blame: (reason: import("./timeline.js").Reasoned) => void}} options
 */
export function appTimeline(provider, { issuer, clientId, telling, blame }) {
  const timeline = new Timeline(byId("timeline"), {
    issuer,
    clientId,
    telling,
    drawn: (reasons) => showReasons(reasons, issuer),
    blame: (reasons) => reasons.forEach(blame),
  });
  void feed(timeline, provider, issuer);
  return timeline;
}

const closed =
  "This provider does not show its side (Hush does in development mode only), so the timeline has this page's part only.";

/** @param {string} issuer */
function whence(issuer) {
  const console = link(`${issuer.replace(/\/$/, "")}/console`, "the provider's console");
  return ["The provider's part comes live from ", console, ", which shows every flow and can make the next one fail."];
}

/**
 * @param {Timeline} timeline
 * @param {Provider} provider
 * @param {string} issuer
 */
async function feed(timeline, provider, issuer) {
  const open = await provider.isOpen();
  byId("timeline-note").replaceChildren(...(open ? whence(issuer) : [closed]));
  await provider.watch((event) => timeline.hear(event));
}

/**
 * @param {import("./timeline.js").Reasoned[]} reasons
 * @param {string} issuer
 */
function showReasons(reasons, issuer) {
  const note = byId("timeline-reason");
  note.hidden = reasons.length === 0;
  note.dataset.reason = reasons.map(({ code }) => code).join(" ");
  note.replaceChildren(...reasons.map((reason) => line(reason, issuer)));
}

/**
 * @param {import("./timeline.js").Reasoned} reason
 * @param {string} issuer
 */
function line(reason, issuer) {
  const code = link(explanationOf(issuer, reason.code), reason.code);
  code.className = "mono";
  return make("span", "reason", code, `: ${reasonText(reason)}`);
}
