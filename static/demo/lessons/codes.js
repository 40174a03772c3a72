// Lesson 6: a callback page that was written for the answer that it expected. Without a code it does nothing.

if (new URLSearchParams(location.search).has("code"))
  window.parent.postMessage({ source: "oidc-client", url: location.href }, location.origin);
