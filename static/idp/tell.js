// This page is in a hidden iframe, and shows an error that could not be sent to the application. So it reports the error
// to the page around it, at the one registered origin, and to the browser's console (development mode only).

const page = /** @type {HTMLElement} */ (document.getElementById("tell"));
const { origin, reason, error, errorUri } = page.dataset;
const description = document.getElementById("error-description")?.textContent ?? "";

if (origin && window.parent !== window) {
  const told = reason ? `${description} [${reason}]` : description; // as a redirect would have told it
  const message = { source: "hush", reason, error, error_description: told, error_uri: errorUri };
  window.parent.postMessage(message, origin);
  console.error(`Hush: ${told} ${errorUri ?? ""}`); // many libraries do not read the message: their users look here
}
