// A redirect URI of the console's own requests: the answer goes to the console that opened this page, or has it in a frame.
// The browser drops the message if that page is of another origin.
const receiver = window.opener ?? (window.parent === window ? null : window.parent);
receiver?.postMessage({ source: "hush-callback", url: location.href }, location.origin);
