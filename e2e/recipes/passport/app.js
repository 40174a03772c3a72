import express from "express";
import session from "express-session";
import * as client from "openid-client";
import passport from "passport";
import { config, origin } from "./oidc.js";

const app = express();
app.use(session({ secret: "a-secret-of-this-example-only", resave: false, saveUninitialized: false }));
app.use(passport.session());

app.get("/", ({ user }, response) => {
  response.type("text").send(user ? `Hello, ${user.name}: /renew /logout` : "Nobody is signed in: /login");
});

app.get("/login", passport.authenticate("hush"));
app.get("/callback", passport.authenticate("hush", { successRedirect: "/", failureRedirect: "/" }));

app.get("/renew", async (request, response) => {
  const { tokens } = request.user ?? {};
  if (!tokens?.refresh_token) return response.status(401).send("There is no refresh token");
  Object.assign(request.session.passport.user.tokens, await client.refreshTokenGrant(config, tokens.refresh_token));
  response.redirect("/");
});

app.get("/logout", (request, response) => {
  const id_token_hint = request.user?.tokens.id_token ?? "";
  const leave = client.buildEndSessionUrl(config, { id_token_hint, post_logout_redirect_uri: `${origin}/` });
  request.logout(() => response.redirect(leave.href));
});

// Express recognises an error handler by its four parameters.
app.use((error, _request, response, _next) => {
  response
    .status(401)
    .type("text")
    .send(`${error.error ?? error.message}: /login`);
});

app.listen(process.env.PORT ?? 3000, "127.0.0.1");
