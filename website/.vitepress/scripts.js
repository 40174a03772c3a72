// VitePress writes two short scripts into each page: they set the theme before the first picture. The site is served
// under a policy that forbids scripts in pages, so they become files.

import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const inline = /<script id="[^"]+">([^<]+)<\/script>/g;

/**
 * The two hooks of VitePress that move the scripts.
 * @param {string} base the address of the site
 * @param {string} outDir its folder
 */
export function scriptsInFiles(base, outDir) {
  /** @type {Map<string, string>} */
  const files = new Map();
  return {
    /** @param {string} html */
    transformHtml: (html) =>
      html.replace(inline, (_, /** @type {string} */ script) => {
        const name = `assets/${createHash("sha256").update(script).digest("hex").slice(0, 12)}.js`;
        files.set(name, script);
        return `<script src="${base}${name}"></script>`;
      }),
    buildEnd: async () => {
      await mkdir(join(outDir, "assets"), { recursive: true });
      await Promise.all([...files].map(([name, script]) => writeFile(join(outDir, name), script)));
    },
  };
}
