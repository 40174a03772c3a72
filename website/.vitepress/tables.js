// Screen readers announce a table heading even if it has no text, so an empty heading becomes a plain cell.

/**
 * A plugin of markdown-it.
 * @param {import("markdown-it").default} md
 */
export function emptyHeadings(md) {
  md.core.ruler.push("empty_headings", ({ tokens }) => {
    for (const [index, token] of tokens.entries()) {
      const [inside, end] = tokens.slice(index + 1, index + 3);
      if (token.type === "th_open" && inside?.content === "" && end) token.tag = end.tag = "td";
    }
  });
}
