import express from "express";
import session from "express-session";
import * as client from "openid-client";
import { config, origin, scope } from "./oidc.js";

const app = express();
app.use(session({ secret: "a-secret-of-this-example-only", resave: false, saveUninitialized: false }));

app.get("/", async (request, response) => {
  const { tokens, sub } = request.session;
  if (!tokens) return response.type("text").send("Nobody is signed in: /login");
  const user = await client.fetchUserInfo(config, tokens.access_token, sub);
  response.type("text").send(`Hello, ${user.name}: /renew /logout`);
});

app.get("/login", async (request, response) => {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  request.session.attempt = { pkceCodeVerifier, expectedState: state };
  const code_challenge = await client.calculatePKCECodeChallenge(pkceCodeVerifier);
  const parameters = {
    redirect_uri: `${origin}/callback`,
    scope,
    state,
    code_challenge,
    code_challenge_method: "S256",
  };
  response.redirect(client.buildAuthorizationUrl(config, parameters).href);
});

app.get("/callback", async (request, response) => {
  const answer = new URL(request.originalUrl, origin);
  const tokens = await client.authorizationCodeGrant(config, answer, request.session.attempt);
  request.session.regenerate(() => {
    Object.assign(request.session, { tokens, sub: tokens.claims().sub });
    response.redirect("/");
  });
});

app.get("/renew", async (request, response) => {
  const { tokens } = request.session;
  if (!tokens?.refresh_token) return response.status(401).send("There is no refresh token");
  Object.assign(tokens, await client.refreshTokenGrant(config, tokens.refresh_token));
  response.redirect("/");
});

app.get("/logout", (request, response) => {
  const id_token_hint = request.session.tokens?.id_token ?? "";
  const leave = client.buildEndSessionUrl(config, { id_token_hint, post_logout_redirect_uri: `${origin}/` });
  request.session.destroy(() => response.redirect(leave.href));
});

// Express recognises an error handler by its four parameters.
app.use((error, _request, response, _next) => {
  response
    .status(401)
    .type("text")
    .send(`${error.error ?? error.message}: /login`);
});

app.listen(process.env.PORT ?? 3000, "127.0.0.1");
