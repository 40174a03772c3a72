// The script of the last page in the hidden iframe. The provider's answer is in its address. The server gets it by
// a fetch of this page and not by the redirect that brought it here, because browsers withhold the app's own cookies
// from a redirect that comes from another site into an iframe. A fetch of one's own origin carries them everywhere.
//
// Each renewal loads the page. So the page contains the text of this script, and has no style until a person sees it.

if (window.parent === window) showPage();
else void finish();

function showPage() {
  for (const link of document.querySelectorAll("link")) link.disabled = false;
  document.getElementById("alone")?.removeAttribute("hidden");
}

async function finish() {
  const answer = new URLSearchParams(location.search);
  tell({
    step: "answer",
    code: answer.get("code")?.slice(0, 6),
    state: answer.get("state"),
    error: answer.get("error"),
  });
  try {
    const response = await fetch("/web/silent/finish", { method: "POST", body: answer });
    // The server passes on a part of the provider's words only.
    const description = answer.get("error_description") ?? undefined;
    tell({ step: "result", status: response.status, body: await response.json(), description });
  } catch {
    tell({ step: "result", status: 0, body: { error: "app_down" } });
  }
}

/**
 * Only a page of this origin may receive it: a page of another origin that frames this one learns nothing.
 *
 * @param {object} message
 */
function tell(message) {
  window.parent.postMessage({ source: "hush-web", ...message }, location.origin);
}
