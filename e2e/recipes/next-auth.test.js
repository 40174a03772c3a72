// next-auth 4 in a Next.js app.

import { greets } from "./harness/greets.js";
import { file } from "./harness/provider.js";

greets("next-auth", {
  args: [file("node_modules/next/dist/bin/next"), "dev", file("next-auth"), "-p", "PORT", "-H", "127.0.0.1"],
  reason: "claims.unasked",
  signIn: "/api/auth/signin",
  env: (origin) => ({
    NEXTAUTH_URL: origin,
    NEXTAUTH_SECRET: "a-secret-of-this-example-only",
    NEXT_TELEMETRY_DISABLED: "1",
  }),
});
