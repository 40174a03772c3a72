// An Express app with Auth.js, as its documentation has it: the provider is a few lines of configuration.

import { ExpressAuth, getSession } from "@auth/express";
import express from "express";

const auth = {
  secret: "a-secret-of-this-example-only",
  trustHost: true,
  providers: [
    {
      id: "hush",
      name: "Hush",
      type: "oidc",
      issuer: process.env.ISSUER ?? "http://localhost:8080",
      clientId: "auth-express",
      clientSecret: "auth-express-secret",
    },
  ],
};

const app = express();
app.use("/auth/*", ExpressAuth(auth));
app.get("/", async (request, response) => {
  const session = await getSession(request, auth);
  const name = session?.user?.name;
  response.type("text").send(session ? `Hello, ${name ?? "somebody without a name"}` : "Nobody is signed in");
});
app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
