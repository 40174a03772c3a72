// docs/recipes/next-auth.md has the rest of the application.

import { renewed } from "./renewed.js";

const issuer = process.env.ISSUER ?? "{issuer}";
const [clientId, clientSecret] = ["{client_id}", "{client_secret}"];

export const authOptions = {
  providers: [
    {
      id: "hush",
      name: "Hush",
      type: "oauth",
      wellKnown: `${issuer}/.well-known/openid-configuration`,
      authorization: { params: { scope: "openid profile email offline_access" } },
      checks: ["pkce", "state", "nonce"],
      idToken: true,
      clientId,
      clientSecret,
      profile: ({ sub, name, email }) => ({ id: sub, name, email }),
    },
  ],
  callbacks: {
    jwt: ({ token, account }) => (account ? { ...token, account } : renewed(token, issuer, clientId, clientSecret)),
    session: ({ session, token }) => ({ ...session, error: token.error }),
  },
  events: {
    signOut: ({ token }) => fetch(`${issuer}/logout?id_token_hint=${token.account.id_token}`), // this server sends it
  },
};
