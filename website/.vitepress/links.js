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
    const parts = state.tokens.flatMap(({ children }) => children ?? []);
    for (const link of parts.filter(({ type }) => type === "link_open")) {
      link.attrSet("href", onTheSite(`${link.attrGet("href")}`));
    }
  });
}

/** Where a link leads on the site. The list of documents is its index. @param {string} address */
function onTheSite(address) {
  if (address === "README.md") return "./";
  return isFileOfTheRepository(address) ? repository + posix.join("docs", address) : address;
}

/** @param {string} address */
function isFileOfTheRepository(address) {
  if (address.startsWith("#") || /^[a-z]+:/.test(address)) return false;
  return address.startsWith("../") || !/^[^?#]+\.md(#|$)/.test(address);
}
