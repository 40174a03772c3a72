// The site of the documentation. It has no text of its own: the pages are those of docs/, and the menu is docs/README.md
// with the lists of its folders.

import { fileURLToPath } from "node:url";
import { defineConfig } from "vitepress";
import { diagrams } from "./diagrams.js";
import { linksToTheRepository, slug } from "./links.js";
import { menu } from "./menu.js";
import { scriptsInFiles } from "./scripts.js";
import { emptyHeadings } from "./tables.js";

const base = "/docs/"; // where the demo app serves the site
const outDir = "../bin/docs";
const scripts = scriptsInFiles(base, outDir);

export default defineConfig({
  title: "Hush",
  description: "Silent token renewal in a hidden iframe: an OpenID Connect provider, and a demo",
  lang: "en",
  base,
  srcDir: "../docs",
  outDir,
  cacheDir: "../bin/docs-cache",
  rewrites: { "README.md": "index.md", "recipes/README.md": "recipes/index.md" },
  metaChunk: true, // the list of pages is a file, not a script in each page
  ignoreDeadLinks: "localhostLinks", // any other dead link ends the build
  head: [["link", { rel: "icon", href: "/static/shared/favicon.svg", type: "image/svg+xml" }]],
  markdown: {
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    anchor: { slugify: slug },
    config: (md) => md.use(linksToTheRepository).use(emptyHeadings).use(diagrams),
  },
  transformHtml: scripts.transformHtml,
  buildEnd: scripts.buildEnd,
  vite: {
    resolve: { alias: [aliasOf("vue", "vue/dist/vue.runtime.esm-bundler.js"), aliasOf("vue/server-renderer")] },
  },
  themeConfig: {
    logo: "/../static/shared/favicon.svg",
    search: { provider: "local" },
    nav: [{ text: "Demo", link: "/../", target: "_self" }],
    sidebar: menu(new URL("../../docs/README.md", import.meta.url)),
    outline: [2, 3],
    docFooter: { prev: false, next: false },
  },
});

/**
 * The pages are outside this folder, so they do not find its packages by themselves.
 * @param {string} name
 * @param {string} [file]
 */
function aliasOf(name, file = name) {
  return { find: new RegExp(`^${name}$`), replacement: fileURLToPath(import.meta.resolve(file)) };
}
