import express from "express";
import oidc from "express-openid-connect";

const app = express();
const port = process.env.PORT ?? 3000;
app.use(
  oidc.auth({
    issuerBaseURL: process.env.ISSUER ?? "http://localhost:8080",
    baseURL: `http://localhost:${port}`,
    clientID: "express-openid-connect",
    clientSecret: "express-openid-connect-secret",
    secret: "a-secret-of-this-example-only",
    authorizationParams: { response_type: "code", scope: "openid profile offline_access" },
    authRequired: false, // requiresAuth() protects a single page
    idpLogout: true,
  }),
);

app.get("/", async ({ oidc }, response) => {
  if (!oidc.isAuthenticated()) return response.type("text").send("Nobody is signed in: /login");
  const user = await oidc.fetchUserInfo();
  response.type("text").send(`Hello, ${user.name}: /renew /logout`);
});

app.get("/renew", async ({ oidc }, response) => {
  if (!oidc.isAuthenticated()) return response.status(401).send("Nobody is signed in");
  await oidc.accessToken.refresh();
  response.redirect("/");
});

// Express recognises an error handler by its four parameters.
app.use((error, _request, response, _next) => {
  response
    .status(401)
    .type("text")
    .send(`${error.error ?? error.message}: /login`);
});

app.listen(port, "127.0.0.1");
