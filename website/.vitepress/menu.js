// The menu of the site, read from the list of documents, so that there is one list only.

import { readFileSync } from "node:fs";

/**
 * Each heading of the second level with the links of the list below it. A link to the README of a folder has that menu
 * below itself.
 * @param {URL} file
 * @param {string} [folder] where the file is on the site
 * @returns {{ text: string, items: object[] }[]}
 */
export function menu(file, folder = "/") {
  const [, ...sections] = readFileSync(file, "utf8").split(/^## /m);
  return sections.map((section) => ({
    text: section.slice(0, section.indexOf("\n")),
    items: [...section.matchAll(/^- \[(.+?)\]\((.+?)\)/gm)].map(([, text = "", address = ""]) => ({
      text,
      link: folder + address.replace(/(README)?\.md(?=#|$)/, ""),
      ...below(new URL(address, file), folder + address),
    })),
  }));
}

/** What the menu has below a link. @param {URL} file @param {string} address */
function below(file, address) {
  if (!address.endsWith("/README.md")) return {};
  return { collapsed: true, items: menu(file, address.slice(0, -"README.md".length)) };
}
