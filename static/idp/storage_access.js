// Storage Access API: asks the browser, after a click, whether this frame may have the provider's cookie. The page around this one
// gets each result by postMessage. The browser drops a message if that page is not of the origin that the provider has verified.

/** loaded: the browser is being asked; ready: it takes a click. @typedef {"loaded" | "ready" | "granted" | "denied" | "unsupported"} Result */

const page = document.getElementById("storage-access");
const ask = document.getElementById("storage-ask");

/** @param {Result} result */
function tell(result) {
  if (!page) return;
  page.dataset.result = result;
  for (const name of ["granted", "denied", "unsupported"]) {
    document.getElementById(`storage-${name}`)?.toggleAttribute("hidden", name !== result);
  }
  ask?.toggleAttribute("disabled", result !== "ready" && result !== "denied");
  const height = document.documentElement.scrollHeight; // pixels, so that the frame needs no scroll bar
  if (parent !== window) parent.postMessage({ type: "storage_access", result, height }, page.dataset.origin ?? "");
}

// The API does not tell why: the user said no, or closed the question, or never used this site in a window of its own.
/** @param {Result} otherwise */
async function request(otherwise) {
  try {
    await document.requestStorageAccess();
    tell("granted");
  } catch {
    tell(otherwise);
  }
}

// A browser that has allowed it before, or after a sign-in by FedCM, grants it without a click. Others refuse without a question.
// document.hasStorageAccess() is not asked: WebKit says true in each frame after one frame got access, and sends these no cookie.
async function begin() {
  tell("loaded"); // the page around this one knows then that this is no error page
  if (!document.requestStorageAccess) tell("unsupported");
  else await request("ready");
}

ask?.addEventListener("click", () => void request("denied"));
await begin();
