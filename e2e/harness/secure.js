// The provider and the demo app by https, with a certificate that the provider makes for itself: some browsers keep the provider's
// cookie only then.

import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../scripts/port.js";
import { Program } from "../../scripts/program.js";
import { demoClients } from "./clients.js";
import { clean } from "./hush.js";

/** @typedef {{ issuer: string, app: string, stop: () => Promise<void>, output: () => string }} SecureHush */

/**
 * Starts both. The demo app has no TLS of its own, so a proxy stands before it, as in production.
 * @param {import("./hush.js").Layout} layout
 * @returns {Promise<SecureHush>}
 */
export async function startSecureHush(layout) {
  const ports = { idp: await freePort(), app: await freePort(), demo: await freePort() };
  const folder = await mkdtemp(join(tmpdir(), "hush-tls-"));
  const [issuer, app] = [`https://${layout.idp}:${ports.idp}`, `https://${layout.app}:${ports.app}`];
  const store = join(folder, "store");
  const certificate = `${store}.tls.pem`;
  const provider = new Program("The provider", "bin/idp", providerArgs(issuer, app, ports.idp, store), {
    env: clean(),
  });
  const demo = new Program(
    "The demo app",
    "bin/demo-app",
    ["--listen", `127.0.0.1:${ports.demo}`, "--base-url", app, "--issuer", issuer].concat(
      "--back-channel",
      `https://127.0.0.1:${ports.idp}`,
    ),
    { env: { ...clean(), SSL_CERT_FILE: certificate } },
  );
  let proxy = async () => {};
  const stop = async () => {
    await Promise.all([proxy(), provider.stop(), demo.stop()]);
    await rm(folder, { recursive: true });
  };
  try {
    await provider.answers(`https://127.0.0.1:${ports.idp}/healthz`);
    await demo.answers(`http://127.0.0.1:${ports.demo}/healthz`);
    proxy = await startProxy(await readFile(certificate, "utf8"), ports);
  } catch (error) {
    await stop();
    throw error;
  }
  return { issuer, app, stop, output: () => `--- provider\n${provider.output}\n--- demo app\n${demo.output}` };
}

/** @param {string} issuer @param {string} app @param {number} port @param {string} store */
function providerArgs(issuer, app, port, store) {
  // Only http lets the port of a registered address differ (RFC 8252 §7.3).
  const here = (/** @type {string[]} */ uris) => uris.map((uri) => app + new URL(uri).pathname);
  const clients = demoClients("90s").map((client) => ({
    ...client,
    redirect_uris: here(client.redirect_uris),
    post_logout_redirect_uris: here(client.post_logout_redirect_uris),
  }));
  const config = JSON.stringify({ clients, console_origins: [app] });
  const address = ["--listen", `127.0.0.1:${port}`, "--issuer", issuer, "--tls-self-signed"];
  return [...address, "--store", `file:${store}`, "--config-json", config];
}

/**
 * Serves by https what the demo app serves by http. Returns what stops it.
 * @param {string} pem certificate and key
 * @param {{ app: number, demo: number }} ports
 */
async function startProxy(pem, ports) {
  const server = createServer({ cert: pem, key: pem }, (asked, answer) => {
    const { method, url: path, headers } = asked;
    const passed = request({ host: "127.0.0.1", port: ports.demo, method, path, headers }, (answered) => {
      answer.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(answer);
    });
    passed.on("error", () => answer.destroy());
    asked.pipe(passed);
  }).listen(ports.app, "127.0.0.1");
  await once(server, "listening");
  return async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
}
