// The provider alone, for clients that are not the demo.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../scripts/port.js";
import { Program } from "../../scripts/program.js";
import { clean } from "./hush.js";

/**
 * A provider on a free port.
 * @typedef {object} Provider
 * @property {string} issuer
 * @property {number} port where it listens, on 127.0.0.1
 * @property {Program} program
 * @property {() => Promise<void>} stop
 */

/**
 * Starts a provider on this machine and waits until it answers.
 * @param {object} config as its YAML file would hold it
 * @param {{ host?: string, tls?: boolean, at?: string }} [options] the issuer's host, and whether it is https with a certificate
 *   of its own; at: the whole issuer, if browsers find the provider there
 * @returns {Promise<Provider>}
 */
export async function startProvider(config, { host = "127.0.0.1", tls = false, at } = {}) {
  const port = await freePort();
  const issuer = at ?? `${tls ? "https" : "http"}://${host}:${port}`;
  const folder = await mkdtemp(join(tmpdir(), "hush-config-"));
  const file = join(folder, "idp.yaml");
  await writeFile(file, JSON.stringify(config)); // JSON is YAML
  const args = ["--config", file, "--listen", `127.0.0.1:${port}`, "--issuer", issuer];
  const program = new Program("The provider", "bin/idp", tls ? [...args, "--tls-self-signed"] : args, { env: clean() });
  const stop = async () => {
    await program.stop();
    await rm(folder, { recursive: true });
  };
  try {
    await program.answers(`${tls ? "https" : "http"}://127.0.0.1:${port}/healthz`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { issuer, port, program, stop };
}
