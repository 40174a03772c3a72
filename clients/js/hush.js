// A Hush provider for tests. It runs the program idp on a free port, and calls the API for development, which the
// provider describes at /console/openapi.json.

import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** @typedef {Record<string, any>} Json the members are those of /console/openapi.json */

/** The answer of the provider, or of its authorization endpoint, was an error. */
export class HushError extends Error {
  /** @param {string} message @param {{ error?: string, status?: number }} [details] */
  constructor(message, { error = "", status = 0 } = {}) {
    super(message);
    this.name = "HushError";
    /** The error code, such as login_required; "" if the answer has none. */
    this.error = error;
    /** The HTTP status; 0 if the error came in a redirect. */
    this.status = status;
  }
}

const howToGetIt = "build it with `make build` in a clone of Hush, and set HUSH_IDP to bin/idp or put it into PATH";

/** A provider. */
export class Hush {
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #process;

  /** A provider that runs already, in a container for example. @param {string} issuer such as http://localhost:8080 */
  constructor(issuer) {
    this.issuer = issuer;
  }

  /**
   * Starts a provider on a free port of this machine, with its data in memory. It signs with ES256, whose key is made at once.
   * The HUSH_ variables of the shell have no effect on it.
   * @param {object} [options]
   * @param {string} [options.command] the program; default: $HUSH_IDP, or else idp in PATH
   * @param {string[]} [options.args] more flags
   * @param {Json} [options.config] what a configuration file would hold (docs/configuration.md)
   * @param {number} [options.timeout] milliseconds until the start fails
   */
  static async start({ command = process.env.HUSH_IDP ?? "idp", args = [], config = {}, timeout = 30_000 } = {}) {
    const text = JSON.stringify({ signing_keys: [{ alg: "ES256" }], ...config });
    const flags = ["--listen", "127.0.0.1:0", "--store", "memory", "--log-level", "error", "--log-format", "json"];
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith("HUSH_"));
    const env = { ...Object.fromEntries(own), HUSH_CONFIG_JSON: text };
    const child = spawn(command, [...flags, ...args], { env, stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout });
    const signal = AbortSignal.timeout(timeout);
    const ended = once(child, "exit", { signal }).then(
      ([code]) => {
        throw new HushError(`${command} ended with exit code ${code}; its message is above`);
      },
      (fault) => {
        throw fault.code === "ENOENT" ? new HushError(`cannot start ${command}: ${howToGetIt}`) : fault;
      },
    );
    const ready = once(lines, "line", { signal });
    ready.catch(() => undefined); // the race below has the first failure
    ended.catch(() => undefined);
    try {
      const [line] = await Promise.race([ready, ended]);
      const hush = new Hush(JSON.parse(line).issuer);
      hush.#process = child;
      return hush;
    } catch (fault) {
      child.kill();
      throw fault;
    }
  }

  /** Ends the provider that start began. */
  async stop() {
    if (!this.#process || this.#process.exitCode !== null) return;
    const ended = once(this.#process, "exit");
    this.#process.kill();
    await ended;
  }

  /**
   * Calls any address of the API.
   * @param {string} method
   * @param {string} path such as /console/clock
   * @param {Json} [body]
   * @returns {Promise<any>} the JSON of the answer, or undefined if it has none
   */
  async call(method, path, body) {
    const headers = { "content-type": "application/json" };
    const response = await fetch(this.issuer + path, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    if (response.ok) return text ? JSON.parse(text) : undefined;
    const { error, error_description: description } = jsonOf(text);
    throw new HushError(`${method} ${path}: ${description ?? text}`, { error, status: response.status });
  }

  /** Adds or replaces a user. @param {string} username @param {Json} [user] such as { claims: { name: "Dana" } } */
  putUser(username, user = {}) {
    return this.call("PUT", `/console/users/${encodeURIComponent(username)}`, user);
  }

  /** Adds or replaces a client. @param {string} id @param {Json} client such as { redirect_uris: ["http://localhost:5173/"] } */
  putClient(id, client) {
    return this.call("PUT", `/console/clients/${encodeURIComponent(id)}`, client);
  }

  /** Makes all tokens. @param {Json} want such as { user: "dana", client: "spa", scope: "openid email", expired: true } */
  tokens(want) {
    return this.call("POST", "/console/tokens", want);
  }

  /** Signs a user in without a page. @param {string} user @param {Json} [more] such as { acr: "2" } */
  async signIn(user, more = {}) {
    const { cookies } = await this.call("POST", "/console/sessions", { user, ...more });
    return new Session(this, cookies);
  }

  /** Makes the provider fail on purpose. @param {Json} fault such as { fault: "session_expired", client: "spa" } */
  fail(fault) {
    return this.call("POST", "/console/faults", fault);
  }

  /** Moves or freezes the clock. @param {Json} move such as { forward: "10m" } or { at: "2030-01-01T00:00:00Z" } */
  clock(move) {
    return this.call("POST", "/console/clock", move);
  }

  /** The flows that fit, newest first. @param {Record<string, string>} [which] such as { client: "spa", outcome: "failed", wait: "10s" } */
  async flows(which = {}) {
    return (await this.call("GET", `/console/flows?${new URLSearchParams(which)}`)).flows;
  }

  /** Undoes all changes, and ends all sessions and tokens: the next test begins anew. */
  reset() {
    return this.call("POST", "/console/reset", {});
  }
}

/** A signed-in browser, by its cookies. */
export class Session {
  /** @param {Hush} hush @param {Json[]} cookies */
  constructor(hush, cookies) {
    this.hush = hush;
    /** As Playwright's context.addCookies and WebDriver take them. */
    this.cookies = cookies;
  }

  /**
   * Does what a hidden iframe does: it asks with prompt=none and PKCE, and exchanges the code for tokens. A public client has
   * no secret.
   * @param {{ client: string, redirectUri: string, scope?: string }} request
   * @returns {Promise<Json>} the answer of the token endpoint
   * @throws {HushError} with the error code of the provider, such as login_required
   */
  async renew({ client, redirectUri, scope = "openid" }) {
    const verifier = randomBytes(32).toString("base64url");
    const query = new URLSearchParams({
      client_id: client,
      redirect_uri: redirectUri,
      response_type: "code",
      prompt: "none",
      scope,
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
    });
    const cookie = this.cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
    const answer = await fetch(`${this.hush.issuer}/authorize?${query}`, { redirect: "manual", headers: { cookie } });
    const code = codeOf(answer.headers.get("location"), await answer.text());
    const form = { grant_type: "authorization_code", client_id: client, redirect_uri: redirectUri, code };
    const body = new URLSearchParams({ ...form, code_verifier: verifier });
    const response = await fetch(`${this.hush.issuer}/token`, { method: "POST", body });
    const tokens = jsonOf(await response.text());
    if (!response.ok) throw new HushError(tokens.error_description, { error: tokens.error, status: response.status });
    return tokens;
  }
}

/** The code of an authentication response. @param {string | null} location @param {string} page */
function codeOf(location, page) {
  if (!location) throw new HushError(`the authorization endpoint showed a page: ${textOf(page)}`);
  const answer = new URL(location).searchParams;
  const code = answer.get("code");
  if (code) return code;
  throw new HushError(answer.get("error_description") ?? location, { error: answer.get("error") ?? "" });
}

/** The main heading of a page, which says what is wrong. @param {string} page */
function textOf(page) {
  return /<h1[^>]*>([^<]*)/.exec(page)?.[1]?.trim() ?? page.slice(0, 200);
}

/** @param {string} text @returns {Json} an empty object if the text is no JSON */
function jsonOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
