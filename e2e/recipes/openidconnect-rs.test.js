import { fileURLToPath } from "node:url";
import { serverApp } from "./harness/serverapp.js";
import { startBoth } from "./harness/start.js";

const program = fileURLToPath(new URL("../../bin/recipes-rust/debug/openidconnect-rs", import.meta.url));
const client = "/console/clients/openidconnect-rs";

serverApp("openidconnect-rs", () => startBoth("openidconnect-rs", program, []), {
  mistake: {
    is: "a client without id_token_claims",
    make: ({ console }) => console.do("PATCH", client, { id_token_claims: null }),
    reason: "claims.unasked",
  },
});
