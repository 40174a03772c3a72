// `make demo`: starts the provider and the demo app, says where to look, and ends both when asked to
// (Ctrl-C, SIGTERM) or when one of them ends. `demo.js --check` only tells whether their ports are free: the
// installation and the build take minutes, so `make demo` asks before them.

import { fileURLToPath } from "node:url";
import { complaint } from "./port.js";
import { Program, root } from "./program.js";

const issuer = "http://localhost:8080";
const app = "http://localhost:9090";

const taken = await complaint({ "the provider of make demo": 8080, "the demo app of make demo": 9090 });
if (taken !== "") {
  console.error(taken);
  process.exit(1);
}
if (process.argv.includes("--check")) process.exit();

const welcome = `Open ${app}
Sign in as alice, bob or carol: by one click, or with the name as password.
The provider ${issuer} shows what it saw at ${issuer}/console
Ctrl-C ends both.`;

/** Only failures of the programs themselves: the console shows the requests. */
const quiet = ["--log-level", "error"];

/** What one registers in the browser, and who is signed in, lasts until this file is deleted. */
const store = `file:${fileURLToPath(new URL("bin/demo.db", root))}`;

/** The site of the documentation, which `make demo` builds in the background if its sources changed. */
const docs = fileURLToPath(new URL("bin/docs", root));

const options = ["--issuer", issuer, "--store", store, ...quiet];
const provider = new Program("The provider", "bin/idp", options, { echo: true });
const demo = new Program(
  "The demo app",
  "bin/demo-app",
  ["--base-url", app, "--issuer", issuer, "--docs", docs, ...quiet],
  {
    echo: true,
  },
);

/** Resolves when this process is asked to end. */
const asked = new Promise((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => resolve(undefined));
});

/**
 * Resolves when a program ends by itself, with what happened.
 * @param {Program} program
 * @param {Program} other
 */
async function death(program, other) {
  const how = await program.ended;
  return `${program.name} ${how}. ${other.name} is ended too.`;
}

/** Serves until asked to end; returns what went wrong, if anything. */
async function serve() {
  const end = Promise.race([asked, death(provider, demo), death(demo, provider)]);
  const ready = Promise.all([provider.answers(`${issuer}/healthz`), demo.answers(`${app}/healthz`)]);
  const started = await Promise.race([end.then(() => false), ready.then(() => true)]);
  if (started) console.log(welcome);
  return end;
}

try {
  const fault = await serve();
  if (fault) throw new Error(`${fault}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await Promise.all([provider.stop(), demo.stop()]);
}
