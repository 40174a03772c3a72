// A site of a client's own: a few pages and scripts on a free port of this machine.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { root } from "../../scripts/program.js";

const types = new Map([
  [".js", "text/javascript; charset=utf-8"],
  [".html", "text/html; charset=utf-8"],
]);

/**
 * A running site.
 * @typedef {object} Site
 * @property {string} origin
 * @property {() => Promise<void>} stop
 */

/**
 * Starts a site.
 * @param {Record<string, string | URL>} files by path: the text, or the file that has it
 * @param {{ host?: string, redirects?: Record<string, string>, headers?: Record<string, Record<string, string>> }} [options]
 *   redirects: by path, the address of a 302; headers: by path, more headers of the answer
 * @returns {Promise<Site>}
 */
export async function startSite(files, { host = "localhost", redirects = {}, headers = {} } = {}) {
  const texts = new Map();
  for (const [path, file] of Object.entries(files)) {
    texts.set(path, typeof file === "string" ? file : await readFile(file, "utf8"));
  }
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const location = redirects[path];
    const type = types.get(extname(path)) ?? "text/html; charset=utf-8";
    if (location !== undefined) response.writeHead(302, { location });
    else response.writeHead(texts.has(path) ? 200 : 404, { "content-type": type, ...headers[path] });
    response.end(texts.get(path) ?? "There is nothing at this address.");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error(`a TCP server has no port: ${address}`);
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { origin: `http://${host}:${address.port}`, stop };
}

/** A file of an npm package. @param {string} path below node_modules */
export function inPackage(path) {
  return new URL(`node_modules/${path}`, root);
}

/** A page that loads scripts and shows nothing. @param {string[]} scripts */
export function page(...scripts) {
  const tags = scripts.map((src) => `<script src="${src}"></script>`);
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>A client</title><body>${tags.join("")}</body></html>`;
}
