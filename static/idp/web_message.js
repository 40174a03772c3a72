// OAuth 2.0 Web Message Response Mode §4: the answer goes to the window around this page, or to the one that opened it, and only
// if that window is of the client's own origin: the browser drops the message otherwise.
const page = document.getElementById("web-message");
const receiver = window.opener ?? (window.parent === window ? null : window.parent);
if (page && receiver) {
  receiver.postMessage(
    { type: "authorization_response", response: JSON.parse(page.dataset.response ?? "{}") },
    page.dataset.target ?? "",
  );
}
