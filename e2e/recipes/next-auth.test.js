import { file } from "./harness/provider.js";
import { serverApp } from "./harness/serverapp.js";
import { startBoth } from "./harness/start.js";

const next = [file("node_modules/next/dist/bin/next"), "dev", file("next-auth"), "-p", "PORT", "-H", "127.0.0.1"];

/** @param {{ origin: string }} where */
const env = ({ origin }) => ({ NEXTAUTH_URL: origin, NEXTAUTH_SECRET: "a-secret-of-this-example-only" });

const client = "/console/clients/next-auth";

serverApp("next-auth", () => startBoth("next-auth", process.execPath, next, { env }), {
  paths: { login: "/api/auth/signin", renew: "/api/auth/session", logout: "/api/auth/signout" },
  makeDue: (console) => console.do("PATCH", client, { access_token_lifetime: "30s" }),
  mistake: {
    is: "a redirect URI without the id of the provider",
    make: ({ console }) => console.do("PATCH", client, { redirect_uris: ["http://localhost:3000/api/auth/callback"] }),
    reason: "redirect.unregistered",
  },
});
