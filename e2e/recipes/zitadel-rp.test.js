import { fileURLToPath } from "node:url";
import { serverApp } from "./harness/serverapp.js";
import { startBoth } from "./harness/start.js";

const program = fileURLToPath(new URL("../../bin/recipes/zitadel-rp", import.meta.url));

serverApp("zitadel-rp", () => startBoth("zitadel-rp", program, []), {
  mistake: {
    is: "another secret than the provider has",
    make: ({ console }) => console.do("PATCH", "/console/clients/zitadel-rp", { client_secret: "zitadel-secret" }),
    reason: "client.authentication",
  },
});
