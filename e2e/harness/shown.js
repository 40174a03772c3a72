// The files of e2e/docs, which the documents show, in an app of their own. They have the addresses that people use, such as
// http://localhost:8080 and http://localhost:5173: the browser finds the provider and the app of the test there, which listen on free
// ports.

import { readdir } from "node:fs/promises";
import { root } from "../../scripts/program.js";
import { mapped, openChromium } from "./browser.js";
import { Console } from "./console.js";
import { startProvider } from "./provider.js";
import { inPackage, startSite } from "./site.js";

/**
 * An app, the provider and a browser, which blocks third-party cookies.
 * @typedef {object} Shown
 * @property {string} app
 * @property {string} issuer
 * @property {import("puppeteer-core").Browser} browser
 * @property {Console} console
 * @property {() => Promise<void>} stop
 */

const issuer = "http://localhost:8080";
const folder = new URL("e2e/docs/", root);

/** What the files import from elsewhere. */
const others = {
  "/renewal-ladder.js": new URL("static/demo/lib/renewal-ladder.js", root),
  "/oidc-client-ts.js": inPackage("oidc-client-ts/dist/esm/oidc-client-ts.js"),
  "/jwt-decode.js": inPackage("jwt-decode/build/esm/index.js"),
};
const imports = { "oidc-client-ts": "/oidc-client-ts.js", "jwt-decode": "/jwt-decode.js" };

/** A page of the app, with the elements that the files look for. @param {string} script */
const page = (script) => `<!doctype html>
<html lang="en">
  <meta charset="utf-8" />
  <title>An app</title>
  <script type="importmap">${JSON.stringify({ imports })}</script>
  <body>
    <button id="step">Step</button>
    <div id="frame"></div>
    ${script && `<script type="module" src="/${script}"></script>`}
  </body>
</html>`;

/**
 * Starts all three.
 * @param {string} app its origin
 * @param {Record<string, string>} pages by path: the file of e2e/docs that it loads, or none
 * @param {object} [client] what the provider knows of the app besides its addresses
 * @returns {Promise<Shown>}
 */
export async function startShown(app, pages, client = {}) {
  const scripts = (await readdir(folder)).filter((name) => name.endsWith(".js"));
  const files = scripts.map((name) => [`/${name}`, new URL(name, folder)]);
  const htmls = Object.entries(pages).map(([path, script]) => [path, page(script)]);
  const provider = await startProvider({ clients: [{ ...registered(app), ...client }] }, { at: issuer });
  const site = await startSite({ ...others, ...Object.fromEntries([...files, ...htmls]) });
  const flag = mapped({
    [new URL(issuer).host]: provider.port,
    [new URL(app).host]: Number(new URL(site.origin).port),
  });
  const { browser, close } = await openChromium("blocked", [flag]);
  const idp = `http://127.0.0.1:${provider.port}`;
  const stop = async () => {
    await close();
    await site.stop();
    await provider.stop();
  };
  return { app, issuer, browser, console: new Console(/** @type {any} */ ({ issuer, idp })), stop };
}

/** What the provider knows of the app. @param {string} app its origin */
const registered = (app) => ({
  client_id: "spa",
  token_endpoint_auth_method: "none",
  grant_types: ["authorization_code", "refresh_token"],
  redirect_uris: [`${app}/callback`],
  post_logout_redirect_uris: [`${app}/`],
  first_party: true,
});
