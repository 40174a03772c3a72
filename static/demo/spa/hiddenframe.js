// The hidden iframe of a renewal, instead of the one that oidc-client-ts makes. The library adds an iframe without an
// address, then sets the address to /authorize, and loads about:blank before it removes the iframe. This iframe is
// added with its address and removed without another load, which saves two navigations. An app works without this file.

/** @typedef {import("oidc-client-ts").INavigator} INavigator */
/** @typedef {import("oidc-client-ts").IWindow} IWindow */

/**
 * The last argument of the library's UserManager.
 *
 * @param {typeof import("oidc-client-ts")} oidc
 * @param {string} issuer its pages in the iframe may use the permission of a sign-in by FedCM
 * @param {number} [timeout] seconds to wait for the provider's answer
 * @returns {INavigator}
 */
export function hiddenFrames(oidc, issuer, timeout = 10) {
  return { prepare: async () => hiddenFrame(oidc, issuer, timeout), callback: async () => undefined };
}

/** @param {typeof import("oidc-client-ts")} oidc @param {string} issuer @param {number} timeout @returns {IWindow} */
function hiddenFrame(oidc, issuer, timeout) {
  const frame = document.createElement("iframe");
  frame.allow = `identity-credentials-get ${new URL(issuer).origin}`;
  const over = new AbortController(); // ends the listener
  const close = () => {
    over.abort();
    setTimeout(() => frame.remove()); // after the exchange of the code has begun
  };
  return {
    close,
    navigate: ({ url }) =>
      new Promise((resolve, reject) => {
        setTimeout(() => reject(new oidc.ErrorTimeout("IFrame timed out without a response")), timeout * 1000);
        const hear = (/** @type {MessageEvent} */ { source, origin, data }) => {
          if (source !== frame.contentWindow || origin !== location.origin || data?.source !== "oidc-client") return;
          close();
          resolve({ url: data.url });
        };
        window.addEventListener("message", hear, { signal: over.signal });
        frame.hidden = true;
        frame.title = "silent renewal";
        frame.src = url;
        document.body.append(frame);
      }),
  };
}
