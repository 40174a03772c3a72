// The provider and the demo app as child processes, in one of the layouts that browsers tell apart.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../../scripts/port.js";
import { Program, root } from "../../scripts/program.js";
import { mapped } from "./browser.js";

/** The site of the documentation, if it is built. */
const docs = fileURLToPath(new URL("bin/docs", root));

/**
 * Where app and provider live, seen from the browser. path is that of the issuer; without it the issuer is an origin.
 * @typedef {{ name: string, app: string, idp: string, path?: string }} Layout
 */

/** HUSH_E2E_PATH=/realms/demo runs any test at issuers with this path. */
const pathOfAll = process.env.HUSH_E2E_PATH ?? "";

/** One site: a port is no part of a site, so every cookie reaches the hidden iframe. @type {Layout} */
export const sameSite = { name: "localhost:A and localhost:B", app: "localhost", idp: "localhost" };

/** One site with two names: every cookie reaches the hidden iframe. @type {Layout} */
export const subdomains = {
  name: "app.demo.localhost and idp.demo.localhost",
  app: "app.demo.localhost",
  idp: "idp.demo.localhost",
};

/** Two sites, as in production: third-party cookie rules apply. @type {Layout} */
export const crossSite = { name: "app.localhost and idp.localhost", app: "app.localhost", idp: "idp.localhost" };

/** All of them. A pair of programs that was started in one serves the others too. */
export const layouts = [sameSite, subdomains, crossSite];

/**
 * Both programs, each on a free port of 127.0.0.1.
 * @typedef {object} Hush
 * @property {string} issuer
 * @property {string} app the base URL of the demo
 * @property {string} idp the provider's address without a name, for requests from here
 * @property {Program} provider
 * @property {Program} demo
 * @property {(layout: Layout) => Hush} at the same programs, seen in another layout
 * @property {() => Promise<void>} stop ends both
 * @property {() => string} output what both printed
 */

/**
 * Starts both and waits until they answer.
 * @param {Layout} layout
 * @param {object} [config] the provider's configuration, as its YAML file would hold it
 * @returns {Promise<Hush>}
 */
export async function startHush(layout, config = {}) {
  const ports = { idp: await freePort(), app: await freePort() };
  const issuer = `http://${layout.idp}:${ports.idp}${layout.path ?? pathOfAll}`;
  return await start(ports, issuer, `http://${layout.app}:${ports.app}`, config, []);
}

/**
 * The same, shown at the addresses that `make demo` has, whether they are free or not. The browser needs the flag
 * that comes with it.
 * @param {Layout} layout
 * @param {object} config
 */
export async function startHushAsInTheDemo(layout, config) {
  const ports = { idp: await freePort(), app: await freePort() };
  const [idp, app] = [`${layout.idp}:8080`, `${layout.app}:9090`];
  const backChannel = ["--back-channel", `http://127.0.0.1:${ports.idp}`];
  const hush = await start(ports, `http://${idp}`, `http://${app}`, config, backChannel);
  return { hush, flag: mapped({ [idp]: ports.idp, [app]: ports.app }) };
}

/**
 * @param {{ idp: number, app: number }} ports
 * @param {string} issuer
 * @param {string} app
 * @param {object} config
 * @param {string[]} more arguments of the demo app
 * @returns {Promise<Hush>}
 */
async function start(ports, issuer, app, config, more) {
  const folder = await mkdtemp(join(tmpdir(), "hush-config-"));
  const file = join(folder, "idp.yaml");
  const origins = layouts.map((layout) => withHost(app, layout.app)); // the demo's, which may look into the console
  await writeFile(file, JSON.stringify({ console_origins: origins, ...config })); // JSON is YAML

  const provider = new Program(
    "The provider",
    "bin/idp",
    ["--config", file, "--listen", `127.0.0.1:${ports.idp}`, "--issuer", issuer],
    { env: clean() },
  );
  const demo = new Program(
    "The demo app",
    "bin/demo-app",
    ["--listen", `127.0.0.1:${ports.app}`, "--base-url", app, "--issuer", issuer, "--docs", docs, ...more],
    { env: clean() },
  );
  /** @type {Hush} */
  const hush = {
    issuer,
    app,
    at: (layout) => ({ ...hush, issuer: withHost(issuer, layout.idp), app: withHost(app, layout.app) }),
    idp: `http://127.0.0.1:${ports.idp}`,
    provider,
    demo,
    stop: async () => {
      await Promise.all([provider.stop(), demo.stop()]);
      await rm(folder, { recursive: true });
    },
    output: () => `--- provider\n${provider.output}\n--- demo app\n${demo.output}`,
  };
  return ready(hush, `http://127.0.0.1:${ports.app}`);
}

/**
 * @param {Hush} hush
 * @param {string} demo
 */
async function ready(hush, demo) {
  try {
    await Promise.all([hush.provider.answers(`${hush.idp}/healthz`), hush.demo.answers(`${demo}/healthz`)]);
    return hush;
  } catch (error) {
    await hush.stop();
    throw error;
  }
}

/** @param {string} address @param {string} host */
function withHost(address, host) {
  const { port, pathname } = new URL(address);
  return `http://${host}:${port}${pathname.replace(/\/$/, "")}`;
}

/** This environment without settings of the programs, which would change what is tested. */
export function clean() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("HUSH_")));
}
