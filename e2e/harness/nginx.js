// nginx with deploy/nginx.conf, before one provider. The configuration names two: nothing listens at the address of the other.

import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../scripts/port.js";
import { Program, root } from "../../scripts/program.js";
import { startProvider } from "./provider.js";

/** The program: the one that NGINX names, or Debian's. */
const program = process.env.NGINX ?? "/usr/sbin/nginx";

const wholeHost = "location / { proxy_pass http://providers; }";

/** @param {string} name a file of the repository */
const read = (name) => readFile(new URL(name, root), "utf8");

/**
 * Starts both, and waits until nginx passes on the provider's answer.
 * @param {string} path of the issuer
 * @param {string} [lines] the file of e2e/docs/nginx that stands in the place of wholeHost
 */
export async function startBehindNginx(path, lines) {
  const [port, absent] = [await freePort(), await freePort()];
  const issuer = `http://localhost:${port}${path}`;
  const config = { built_in: true, limits: { trusted_proxies: ["127.0.0.0/8"] } };
  const provider = await startProvider(config, { at: issuer });
  const folder = await mkdtemp(join(tmpdir(), "hush-nginx-"));
  await chmod(folder, 0o755); // nginx, started by root, works as another user
  const addresses = { port, idp: provider.port, absent };
  await writeFile(join(folder, "nginx.conf"), await configuration(folder, addresses, lines));
  const nginx = new Program("nginx", program, ["-e", "stderr", "-p", folder, "-c", "nginx.conf", "-g", "daemon off;"]);
  const stop = async () => {
    await nginx.stop();
    await provider.stop();
    await rm(folder, { recursive: true });
  };
  try {
    await nginx.answers(`http://127.0.0.1:${port}${path}/.well-known/openid-configuration`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { issuer, stop };
}

/**
 * deploy/nginx.conf with the addresses and the files of this test.
 * @param {string} folder
 * @param {{ port: number, idp: number, absent: number }} addresses
 * @param {string} [lines]
 */
async function configuration(folder, { port, idp, absent }, lines) {
  const changes = {
    "listen 8180": `listen 127.0.0.1:${port}`,
    "idp-1:8080": `127.0.0.1:${idp}`,
    "idp-2:8080": `127.0.0.1:${absent}`,
    [wholeHost]: lines ? await read(`e2e/docs/nginx/${lines}`) : wholeHost,
  };
  let text = (await read("deploy/nginx.conf")).replaceAll("/tmp/", `${folder}/`);
  for (const [from, to] of Object.entries(changes)) {
    if (text.split(from).length !== 2) throw new Error(`deploy/nginx.conf does not have ${from} once`);
    text = text.replace(from, () => to); // a function, because $ has a meaning in a text
  }
  return text;
}
