// The last stop of the hidden iframe. The provider's answer stands in this page's address; the server gets it by a
// fetch of this page and not by the redirect that brought it here, because browsers withhold the app's own cookies
// from a redirect that comes from another site into an iframe. A fetch of one's own origin carries them everywhere.

import { byId } from "../lib/dom.js";

if (window.parent === window) byId("alone").hidden = false;
else await finish();

async function finish() {
  const answer = new URLSearchParams(location.search);
  tell({ step: "answer", error: answer.get("error"), code: answer.get("code")?.slice(0, 6) });
  try {
    const response = await fetch("/web/silent/finish", { method: "POST", body: answer });
    tell({ step: "result", status: response.status, body: await response.json() });
  } catch {
    tell({ step: "result", status: 0, body: { error: "app_down" } });
  }
}

/**
 * Only a page of this origin may hear it: a stranger that frames this page learns nothing.
 *
 * @param {object} message
 */
function tell(message) {
  window.parent.postMessage({ source: "hush-web", ...message }, location.origin);
}
