import { file } from "./harness/provider.js";
import { serverApp } from "./harness/serverapp.js";
import { startBoth } from "./harness/start.js";

const client = "/console/clients/auth-express";

serverApp("auth-express", () => startBoth("auth-express", process.execPath, [file("auth-express/app.js")]), {
  paths: { login: "/auth/signin", renew: "/auth/session", logout: "/auth/signout" },
  makeDue: (console) => console.do("PATCH", client, { access_token_lifetime: "30s" }),
  mistake: {
    is: "a client without id_token_claims",
    make: ({ console }) => console.do("PATCH", client, { id_token_claims: null }),
    reason: "claims.unasked",
  },
});
