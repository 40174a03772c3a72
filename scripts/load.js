// `make load`: starts a provider of its own and lets bench/load renew tokens at it. All arguments are
// passed on to bench/load. The exit status is that of bench/load.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { freePort } from "./port.js";
import { Program, root } from "./program.js";

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

const listen = `127.0.0.1:${await freePort()}`;
const issuer = `http://${listen}`;
const provider = new Program("The provider", "bin/idp", [
  "--listen",
  listen,
  "--issuer",
  issuer,
  "--log-level",
  "warn",
]);
try {
  await provider.answers(`${issuer}/healthz`);
  const load = spawn(
    "go",
    ["run", "-C", "bench", "./load", "--issuer", issuer, "--pid", `${provider.pid}`, ...process.argv.slice(2)],
    { cwd: fileURLToPath(root), stdio: "inherit" },
  );
  const [status] = await once(load, "close");
  if (status !== 0) console.error(provider.output);
  process.exitCode = status ?? 1;
} finally {
  await provider.stop();
}
