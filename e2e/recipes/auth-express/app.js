import { ExpressAuth, getSession } from "@auth/express";
import express from "express";
import { auth, renewing } from "./auth.js";

const app = express();
app.use("/auth", ExpressAuth(renewing));

app.get("/", async (request, response) => {
  const session = await getSession(request, auth);
  const text = session
    ? `Hello, ${session.user.name}: /auth/session /auth/signout`
    : "Nobody is signed in: /auth/signin";
  response.type("text").send(text);
});

app.listen(process.env.PORT ?? 3000, "127.0.0.1");
