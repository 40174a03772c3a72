// The last stop of every way to sign in: the script in the page at redirect_uri. In the hidden iframe of a renewal one
// message is enough: oidc-client-ts in the page around it waits for this message, exchanges the code and removes the
// iframe. So nothing is loaded there, not even this file: the page has its text. In a window of its own it does more.

const finish = "/static/demo/spa/finish.js";
if (window.parent === window) void import(finish);
else window.parent.postMessage({ source: "oidc-client", url: location.href }, location.origin); // for pages of this origin only
