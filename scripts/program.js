// One of the project's programs, run as a child process: `make demo`, the end-to-end tests and the
// screenshots start the provider and the demo through this.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { get } from "node:http";
import { get as getSecurely } from "node:https";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** The root of the repository, with a slash at its end. */
export const root = new URL("../", import.meta.url);

/** The length of the output for a report, in characters; older output is dropped. */
const maxOutput = 64 * 1024;

/** How long a program may take to answer, and to end when asked, in milliseconds. It finds what hangs. */
const timeout = 30_000;

export class Program {
  #child;
  #echo;
  #output = "";
  /** How the program ended, in words; resolves when it has. It never rejects. */
  ended;

  /**
   * Starts a program. It is ended with this process, however that ends, except by SIGKILL.
   * @param {string} name what people call it
   * @param {string} command an absolute path, or a path below the root of the repository
   * @param {string[]} args
   * @param {{ env?: NodeJS.ProcessEnv, echo?: boolean }} options env replaces this process's
   *   environment; echo also passes standard error on to the terminal
   */
  constructor(name, command, args, options = {}) {
    this.name = name;
    this.#echo = options.echo ?? false;
    this.#child = spawn(fileURLToPath(new URL(command, root)), args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: options.env ?? process.env,
    });
    this.#child.stdout.on("data", (chunk) => this.#keep(chunk));
    this.#child.stderr.on("data", (chunk) => {
      this.#keep(chunk);
      if (this.#echo) process.stderr.write(chunk);
    });
    this.ended = this.#end();
    const kill = () => this.#child.kill();
    process.on("exit", kill);
    this.ended.then(() => process.off("exit", kill));
  }

  /** The process id; 0 when the program could not be started. */
  get pid() {
    return this.#child.pid ?? 0;
  }

  /** The newest output, standard output and standard error as they came. */
  get output() {
    return this.#output;
  }

  /**
   * Waits until address answers 200. It throws when the program ends before that or stays silent for
   * half a minute; the error carries the output unless it was echoed.
   * @param {string} address
   */
  async answers(address) {
    const waiting = new AbortController();
    const deadline = AbortSignal.timeout(timeout);
    const early = this.ended.then((how) => this.#fail(how));
    const answered = (async () => {
      while (!waiting.signal.aborted && !(await isOK(address))) {
        if (deadline.aborted) this.#fail(`does not answer at ${address}`);
        await pause(25);
      }
    })();
    await Promise.race([answered, early]).finally(() => waiting.abort());
  }

  /** Asks the program to end and waits until it has. It throws when the program does not end. */
  async stop() {
    this.#child.kill("SIGTERM");
    const late = new AbortController();
    const ended = await Promise.race([
      this.ended.then(() => true),
      pause(timeout, false, { signal: late.signal }).catch(() => false),
    ]);
    late.abort();
    if (ended) return;
    this.#child.kill("SIGKILL");
    this.#fail("did not end on SIGTERM");
  }

  /** @param {Buffer} chunk */
  #keep(chunk) {
    this.#output = (this.#output + chunk).slice(-maxOutput);
  }

  async #end() {
    try {
      const [code, signal] = await once(this.#child, "close");
      return signal ? `was ended by ${signal}` : `ended with status ${code}`;
    } catch (error) {
      return `could not be started: ${error}`;
    }
  }

  /**
   * @param {string} why
   * @returns {never}
   */
  #fail(why) {
    throw new Error(this.#echo ? `${this.name} ${why}` : `${this.name} ${why}\n${this.#output}`);
  }
}

/**
 * Whether an address answers 200. The certificate is not looked at: it may be the program's own.
 * @param {string} address
 * @returns {Promise<boolean>}
 */
function isOK(address) {
  return new Promise((resolve) => {
    const answered = (/** @type {import("node:http").IncomingMessage} */ answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    };
    const asked = address.startsWith("https:")
      ? getSecurely(address, { rejectUnauthorized: false, timeout }, answered)
      : get(address, { timeout }, answered);
    asked.on("timeout", () => asked.destroy(new Error("too slow")));
    asked.on("error", () => resolve(false)); // nothing listens there yet
  });
}
