import NextAuth from "next-auth";

export const authOptions = {
  providers: [
    {
      id: "hush",
      name: "Hush",
      type: "oauth",
      wellKnown: `${process.env.ISSUER ?? "http://localhost:8080"}/.well-known/openid-configuration`,
      authorization: { params: { scope: "openid email profile" } },
      checks: ["pkce", "state", "nonce"],
      idToken: true,
      clientId: "next-auth",
      clientSecret: "next-auth-secret",
      profile: (claims) => ({ id: claims.sub, name: claims.name, email: claims.email }),
    },
  ],
};

export default NextAuth(authOptions);
