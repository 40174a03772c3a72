import { fileURLToPath } from "node:url";
import { serverApp } from "./harness/serverapp.js";
import { startBoth } from "./harness/start.js";

const program = fileURLToPath(new URL("../../bin/recipes/go-oidc", import.meta.url));

serverApp("go-oidc", () => startBoth("go-oidc", program, []), {
  mistake: {
    is: "a client without id_token_claims",
    make: ({ console }) => console.do("PATCH", "/console/clients/go-oidc", { id_token_claims: null }),
    reason: "claims.unasked",
  },
});
