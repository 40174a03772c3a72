// Copies the browser build of oidc-client-ts from node_modules into static/demo/vendor/, from where
// `go build` embeds it. It runs by itself after `npm install`; the copy is not committed, so the
// version in package-lock.json is the only one there is.
//
// The readable build is taken, not the minified one: a learner may open it in the browser.

import { copyFile, mkdir, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);
const source = new URL("node_modules/oidc-client-ts/dist/browser/oidc-client-ts.js", root);
const target = new URL("static/demo/vendor/oidc-client-ts.js", root);

try {
  await stat(source);
} catch {
  console.error(`${fileURLToPath(source)} is missing: run \`npm install\` first`);
  process.exit(1);
}
await mkdir(new URL("./", target), { recursive: true });
await copyFile(source, target);
console.log(`copied oidc-client-ts to ${fileURLToPath(target)}`);
