// The provider with the configuration of a recipe.

import { fileURLToPath } from "node:url";
import { freePort } from "../../../scripts/port.js";
import { Program } from "../../../scripts/program.js";
import { Console } from "../../harness/console.js";
import { clean } from "../../harness/hush.js";

/**
 * @typedef {object} Provider
 * @property {string} issuer
 * @property {number} port where it listens, on 127.0.0.1
 * @property {Console} console
 * @property {Program} program
 */

/** The path of a file or folder of the recipes. @param {string} name */
export const file = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/**
 * Starts the provider with a recipe's hush.yaml.
 * @param {string} recipe
 * @param {{ issuer?: string, args?: string[] }} [options] issuer: the provider's address for clients, if it is not http://localhost with the port
 * @returns {Promise<Provider>}
 */
export async function startProvider(recipe, { issuer, args = [] } = {}) {
  const port = await freePort();
  const known = issuer ?? `http://localhost:${port}`;
  const address = ["--listen", `127.0.0.1:${port}`, "--issuer", known];
  const config = ["--config", file(`${recipe}/hush.yaml`)];
  const program = new Program("The provider", "bin/idp", [...config, ...address, ...args], { env: clean() });
  const here = `${new URL(known).protocol}//127.0.0.1:${port}`;
  await program.answers(`${here}/healthz`);
  const theConsole = new Console(/** @type {any} */ ({ issuer: known, idp: here }));
  return { issuer: known, port, console: theConsole, program };
}

/**
 * Ends all sessions at the provider, and sends no message to the applications.
 * @param {Console} theConsole
 */
export async function endSessions(theConsole) {
  for (const { id } of await sessions(theConsole)) {
    await theConsole.do("POST", `/console/sessions/${id}`, { do: "end" });
  }
}

/**
 * The sessions at the provider that are signed in.
 * @param {Console} theConsole
 * @returns {Promise<{ id: string, state: string }[]>}
 */
export async function sessions(theConsole) {
  const all = /** @type {{ id: string, state: string }[]} */ ((await theConsole.read("/console/sessions")).sessions);
  return all.filter(({ state }) => state === "signed_in");
}
