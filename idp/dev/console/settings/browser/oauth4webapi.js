// docs/recipes/oauth4webapi.md has the rest of the application.

import * as oauth from "oauth4webapi";

const issuer = new URL("{issuer}");
const client = { client_id: "{client_id}" };
const redirect_uri = "{redirect_uri}";
const scope = "{scope}";
const http = { [oauth.allowInsecureRequests]: true }; // for http on this machine only

const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http));

/** The address of an authorization request, and the values that the app keeps until the answer. */
export async function begin(more = {}) {
  const kept = {
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    code_verifier: oauth.generateRandomCodeVerifier(),
  };
  const address = new URL(server.authorization_endpoint);
  address.search = new URLSearchParams({
    ...client,
    redirect_uri,
    scope,
    response_type: "code",
    state: kept.state,
    nonce: kept.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(kept.code_verifier),
    code_challenge_method: "S256",
    ...more,
  });
  return { address: address.href, kept };
}

/** The tokens and the user's claims, from the address to which the provider redirected the browser. */
export async function finish(address, { state, nonce, code_verifier }) {
  const answer = oauth.validateAuthResponse(server, client, new URL(address), state);
  const asked = [server, client, oauth.None(), answer, redirect_uri, code_verifier, http];
  const response = await oauth.authorizationCodeGrantRequest(...asked);
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, { expectedNonce: nonce });
  const { sub } = oauth.getValidatedIdTokenClaims(tokens);
  const told = await oauth.userInfoRequest(server, client, tokens.access_token, http);
  return { ...tokens, user: await oauth.processUserInfoResponse(server, client, sub, told) };
}

/** Both steps in a hidden iframe. The callback page in the iframe posts its address. */
export async function renew(id_token_hint) {
  const { address, kept } = await begin({ prompt: "none", id_token_hint });
  const iframe = Object.assign(document.createElement("iframe"), { hidden: true, src: address });
  const answer = await new Promise((resolve) => {
    window.addEventListener("message", function listen({ source, origin, data }) {
      if (source !== iframe.contentWindow || origin !== location.origin) return;
      window.removeEventListener("message", listen);
      resolve(data);
    });
    document.body.append(iframe);
  });
  iframe.remove();
  return finish(answer, kept);
}

/** The address at which the provider ends its session. */
export function logoutAddress(id_token_hint) {
  const address = new URL(server.end_session_endpoint);
  address.search = new URLSearchParams({ id_token_hint, post_logout_redirect_uri: "{post_logout_redirect_uri}" });
  return address.href;
}
