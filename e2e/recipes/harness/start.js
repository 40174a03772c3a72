// The provider and the app of a recipe, and an app with a mistake in it.

import { readFile, rm, writeFile } from "node:fs/promises";
import { freePort } from "../../../scripts/port.js";
import { startApp } from "./app.js";
import { file, startProvider } from "./provider.js";

/**
 * Starts a recipe's provider and app, and waits until both answer.
 * @param {string} recipe
 * @param {string} command
 * @param {string[]} args with PORT for the app's port
 * @param {{ path?: string, env?: (where: { issuer: string, origin: string, port: number }) => NodeJS.ProcessEnv }} [how]
 *   path answers 200 when the app is ready
 */
export async function startBoth(recipe, command, args, { path = "/", env = () => ({}) } = {}) {
  const provider = await startProvider(recipe);
  const port = await freePort();
  const [origin, { issuer }] = [`http://localhost:${port}`, provider];
  const environment = { ISSUER: issuer, ...env({ issuer, origin, port }) };
  const filled = args.map((arg) => arg.replaceAll("PORT", String(port)).replaceAll("ISSUER", issuer));
  try {
    const app = await startApp(command, filled, { port, path, env: environment });
    const stop = () => Promise.all([app.stop(), provider.program.stop()]);
    return { issuer, origin, console: provider.console, stop };
  } catch (error) {
    await provider.program.stop();
    throw error;
  }
}

/**
 * Writes a copy of a recipe's file with one text changed, in the same folder, so that its imports work.
 * @param {string} name
 * @param {string} line a text that the file has once
 * @param {string} instead
 */
export async function changed(name, line, instead) {
  const text = await readFile(file(name), "utf8");
  if (text.split(line).length !== 2) throw new Error(`${name} does not have ${line} once`);
  const copy = file(name).replace(/(\.\w+)$/, "_mistake$1");
  await writeFile(copy, text.replace(line, instead));
  return { copy, remove: () => rm(copy) };
}
