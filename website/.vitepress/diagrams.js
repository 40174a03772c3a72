// Draws the Mermaid blocks of the documents, as GitHub does: two pictures for each, one for each theme.

import { renderMermaidSVG } from "beautiful-mermaid";

/** The colours of static/shared/hush.css. */
const themes = {
  light: { bg: "#ffffff", fg: "#13211f", muted: "#4c5d59", line: "#7b8a86" },
  dark: { bg: "#151e1d", fg: "#e6efec", muted: "#a3b5b0", line: "#71837f" },
};

/**
 * A plugin of markdown-it.
 * @param {import("markdown-it").default} md
 */
export function diagrams(md) {
  const fence = md.renderer.rules.fence;
  md.renderer.rules.fence = (tokens, index, ...more) => {
    const token = tokens[index];
    if (token?.info.trim() === "mermaid") return picture(token.content, "light") + picture(token.content, "dark");
    return fence?.(tokens, index, ...more) ?? "";
  };
}

/** @param {string} source @param {keyof typeof themes} theme */
function picture(source, theme) {
  // The library asks for a font of another server. The text gets an edge instead, so that lines do not cross it.
  const edge = `text { paint-order: stroke; stroke: ${themes[theme].bg}; stroke-width: 4px; }`;
  const svg = renderMermaidSVG(source, themes[theme]).replace(/@import url\([^)]*\);/, edge);
  const address = `data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}`;
  return `<p class="diagram ${theme}"><img src="${address}" alt="The diagram that this page explains in words"></p>`;
}
