// Storage Access API: asks the browser, after a click, whether this frame may have the provider's cookie. The page around this one
// gets each result by postMessage. The browser drops a message if that page is not of the origin that the provider has verified.

/** @typedef {"ready" | "granted" | "denied" | "unsupported"} Result */

const page = document.getElementById("storage-access");
const ask = document.getElementById("storage-ask");

/** @param {Result} result */
function tell(result) {
  if (!page) return;
  page.dataset.result = result;
  for (const name of ["granted", "denied", "unsupported"]) {
    document.getElementById(`storage-${name}`)?.toggleAttribute("hidden", name !== result);
  }
  ask?.toggleAttribute("disabled", result === "granted" || result === "unsupported");
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

// A browser that has allowed it before grants it without a question and without a click.
async function isAllowed() {
  try {
    const { state } = await navigator.permissions.query({ name: /** @type {PermissionName} */ ("storage-access") });
    return state === "granted";
  } catch {
    return false; // this browser has no such permission
  }
}

async function begin() {
  if (!document.requestStorageAccess) tell("unsupported");
  else if (await document.hasStorageAccess()) tell("granted");
  else if (await isAllowed()) await request("ready");
  else tell("ready");
}

ask?.addEventListener("click", () => void request("denied"));
await begin();
