// This page is an error that could not be sent to the application, in an iframe that nobody sees. So it tells the page
// around it, at the one origin that is registered, what went wrong (development mode only).

const told = /** @type {HTMLElement} */ (document.getElementById("tell"));
const { origin, reason, error, errorUri } = told.dataset;
const description = document.getElementById("error-description")?.textContent ?? "";

if (origin && window.parent !== window) {
  const message = { source: "hush", reason, error, error_description: description, error_uri: errorUri };
  window.parent.postMessage(message, origin);
}
