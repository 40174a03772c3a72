import { file } from "./harness/provider.js";
import { serverApp } from "./harness/serverapp.js";
import { startBoth } from "./harness/start.js";

serverApp("passport", () => startBoth("passport", process.execPath, [file("passport/app.js")]), {
  mistake: {
    is: "a client without id_token_claims",
    make: ({ console }) => console.do("PATCH", "/console/clients/passport", { id_token_claims: null }),
    reason: "claims.unasked",
  },
});
