// The script of the page that SilentCallback serves: the last page in the hidden iframe. The provider's answer is in
// its address. It sends the answer to this page's own address by a fetch, which carries the application's cookies in
// every browser, and passes the result on to the page that holds the iframe.

if (window.parent === window) document.body.append("This page works in a hidden iframe only.");
else void finish();

async function finish() {
  try {
    const body = new URLSearchParams(location.search);
    const response = await fetch(location.pathname, { method: "POST", body });
    tell(response.status, await response.json());
  } catch {
    tell(0, { error: "app_down", error_description: "this application does not answer: try again later" });
  }
}

/**
 * Only a page of this origin may receive the message: a page of another origin that frames this one learns nothing.
 *
 * @param {number} status of the answer; 0: there was none
 * @param {object} body a SessionView, or error and error_description
 */
function tell(status, body) {
  window.parent.postMessage({ source: "rp", status, body }, location.origin);
}
