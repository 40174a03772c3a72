// The menu of the site, read from the list of documents, so that there is one list only.

import { readFileSync } from "node:fs";

/**
 * Each heading of the second level with the links of the list below it.
 * @param {URL} file
 */
export function menu(file) {
  const [, ...sections] = readFileSync(file, "utf8").split(/^## /m);
  return sections.map((section) => ({
    text: section.slice(0, section.indexOf("\n")),
    items: [...section.matchAll(/^- \[(.+?)\]\((.+?)\)/gm)].map(([, text = "", address = ""]) => ({
      text,
      link: `/${address.replace(/\.md(?=#|$)/, "")}`,
    })),
  }));
}
