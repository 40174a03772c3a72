// The last stop of every way to sign in, and the only script of the page at redirect_uri. In the hidden iframe of a
// renewal one message is enough: oidc-client-ts in the page around it waits for this message, exchanges the code and
// removes the iframe. So nothing else is loaded there. In a window of its own the page does more: finish.js.

if (window.parent === window) void import("./finish.js");
else window.parent.postMessage({ source: "oidc-client", url: location.href }, location.origin); // for pages of this origin only
