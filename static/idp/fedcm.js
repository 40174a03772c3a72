// FedCM: this window was opened by the browser. It ends with the code for the app, or without one.
// https://w3c-fedid.github.io/FedCM/#browser-api-identity-provider-interface
const page = document.getElementById("fedcm");
const provider = /** @type {any} */ (window).IdentityProvider; // absent in browsers without FedCM
if (page && provider) {
  const { token, account } = page.dataset;
  if (token) provider.resolve(token, { accountId: account });
  else provider.close();
}
