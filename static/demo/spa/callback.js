// The script of the page at redirect_uri, for each kind of sign-in. In the hidden iframe of a renewal one message is
// enough: oidc-client-ts in the page around it waits for this message and exchanges the code. So the iframe loads
// nothing else, not even this file: the page contains its text. In a window of its own the page loads finish.js.

const finish = "/static/demo/spa/finish.js";
if (window.parent === window) void import(finish);
else window.parent.postMessage({ source: "oidc-client", url: location.href }, location.origin); // for pages of this origin only
