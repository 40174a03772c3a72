import { file } from "./harness/provider.js";
import { serverApp } from "./harness/serverapp.js";
import { startBoth } from "./harness/start.js";

serverApp("openid-client", () => startBoth("openid-client", process.execPath, [file("openid-client/app.js")]), {
  mistake: {
    is: "a client without the grant type refresh_token",
    make: ({ console }) =>
      console.do("PATCH", "/console/clients/openid-client", { grant_types: ["authorization_code"] }),
    reason: "request.narrowed",
  },
});
