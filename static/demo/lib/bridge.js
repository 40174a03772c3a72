// The provider's page without any interface in the hidden iframe, which asks the browser for the provider's cookie (Storage Access
// API). An iframe that has loaded a page of the provider may be there, and goes on by itself after a second at most.

/** How long the page may take, and the requests after it, in milliseconds. */
const patience = 1500;

/** Resolves when an iframe that is still on a page of the provider is stuck there. @returns {Promise<void>} */
export function bridgePassed() {
  return new Promise((resolve) => setTimeout(resolve, patience));
}
