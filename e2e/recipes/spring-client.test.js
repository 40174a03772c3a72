import { file } from "./harness/provider.js";
import { serverApp } from "./harness/serverapp.js";
import { startBoth } from "./harness/start.js";

const jar = file("spring-client/target/spring-client.jar");
const client = "/console/clients/spring-client";

serverApp("spring-client", () => startBoth("spring-client", "/usr/bin/java", ["-jar", jar]), {
  paths: { login: "/oauth2/authorization/hush" },
  makeDue: (console) => console.do("PATCH", client, { access_token_lifetime: "30s" }), // Spring renews in the last minute
  mistake: {
    is: "a redirect URI without Spring's path",
    make: ({ console }) => console.do("PATCH", client, { redirect_uris: ["http://localhost:3000/callback"] }),
    reason: "redirect.unregistered",
  },
});
