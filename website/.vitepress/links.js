// Links of the documents, which have to work at GitHub and on the site.

import { posix } from "node:path";

const repository = "https://github.com/hush-idp/hush/blob/main/";

/** The id of a heading, as GitHub makes it. @param {string} heading */
export function slug(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, "")
    .replaceAll(" ", "-");
}

/**
 * A plugin of markdown-it. A link to a file that is no page of the site leads to that file at GitHub.
 * @param {import("markdown-it").default} md
 */
export function linksToTheRepository(md) {
  md.core.ruler.push("links_to_the_repository", (state) => {
    const folder = posix.join("docs", posix.dirname(`${state.env.relativePath}`));
    const parts = state.tokens.flatMap(({ children }) => children ?? []);
    for (const link of parts.filter(({ type }) => type === "link_open")) {
      link.attrSet("href", onTheSite(`${link.attrGet("href")}`, folder));
    }
  });
}

/**
 * Where a link leads on the site. The list of documents is the index of its folder.
 * @param {string} address
 * @param {string} folder of the page, in the repository
 */
function onTheSite(address, folder) {
  if (address.startsWith("#") || /^[a-z]+:/.test(address)) return address;
  const path = posix.join(folder, address);
  if (!/^docs\/[^?#]+\.md(#|$)/.test(path)) return repository + path;
  return address.replace(/(^|\/)README\.md(?=#|$)/, "$1") || "./";
}
