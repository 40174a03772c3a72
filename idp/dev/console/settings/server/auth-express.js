// docs/recipes/auth-express.md has the rest of the application.

import { renewed } from "./renewed.js";

const issuer = process.env.ISSUER ?? "{issuer}";
const [clientId, clientSecret] = ["{client_id}", "{client_secret}"];
const authorization = { params: { scope: "openid profile email offline_access" } };

export const auth = {
  secret: "a-secret-of-this-example-only",
  basePath: "/auth",
  trustHost: true,
  providers: [{ id: "hush", name: "Hush", type: "oidc", issuer, clientId, clientSecret, authorization }],
  callbacks: {
    jwt: ({ token, account }) => (account ? { ...token, account } : token),
    session: ({ session, token }) => ({ ...session, error: token.error }),
  },
  events: {
    signOut: ({ token }) => fetch(`${issuer}/logout?id_token_hint=${token.account.id_token}`), // this server sends it
  },
};

/** For the routes of Auth.js only: they can store the new tokens in the cookie, and getSession cannot. */
export const renewing = {
  ...auth,
  callbacks: {
    ...auth.callbacks,
    jwt: ({ token, account }) => (account ? { ...token, account } : renewed(token, issuer, clientId, clientSecret)),
  },
};
