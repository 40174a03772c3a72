// The application of a recipe, as a program.

import { Program } from "../../../scripts/program.js";
import { clean } from "../../harness/hush.js";

/**
 * Starts a recipe's application, and waits until path answers.
 * @param {string} command
 * @param {string[]} args
 * @param {{ port: number, path: string, env?: NodeJS.ProcessEnv }} how
 */
export async function startApp(command, args, { port, path, env = {} }) {
  const program = new Program("The application", command, args, { env: { ...clean(), PORT: String(port), ...env } });
  await program.answers(`http://127.0.0.1:${port}${path}`);
  return program;
}
