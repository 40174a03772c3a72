// Auth.js in an Express app.

import { greets } from "./harness/greets.js";
import { file } from "./harness/provider.js";

greets("auth-express", {
  args: [file("auth-express/app.js")],
  signIn: "/auth/signin",
  reason: "claims.unasked",
  env: () => ({}),
});
