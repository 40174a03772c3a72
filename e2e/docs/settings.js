import { IndexedDbDPoPStore } from "oidc-client-ts";

export const settings = {
  authority: "http://localhost:8080",
  client_id: "spa",
  redirect_uri: "http://app.localhost:5173/callback",
  includeIdTokenInSilentRenew: true, // names the user, if several users are signed in
  maxSilentRenewTimeoutRetries: 0, // without a limit it tries again for ever
  dpop: { bind_authorization_code: true, store: new IndexedDbDPoPStore() }, // for refresh tokens
};
