// What axe finds on a page: https://github.com/dequelabs/axe-core

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

/** @typedef {{ id: string, nodes: { target: unknown[], failureSummary?: string }[] }} Violation */

const source = readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/**
 * The findings in both schemes and at two widths, each in words. An empty list is good.
 * @param {import("puppeteer-core").Page} page
 */
export async function findings(page) {
  const found = /** @type {string[]} */ ([]);
  for (const [width, scheme] of /** @type {const} */ ([
    [1280, "light"],
    [390, "dark"],
    [1280, "dark"],
    [390, "light"],
  ])) {
    await page.setViewport({ width, height: 900 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    for (const { id, nodes } of await run(page)) {
      for (const { target, failureSummary } of nodes)
        found.push(`${id} at ${width} ${scheme}: ${target} ${failureSummary}`);
    }
  }
  await page.setViewport({ width: 1280, height: 900 });
  return found;
}

/** @param {import("puppeteer-core").Page} page @returns {Promise<Violation[]>} */
async function run(page) {
  await page.evaluate(await source);
  return page.evaluate(async () => {
    // A colour that fades would be measured half-way. What repeats for ever has no end.
    for (const animation of document.getAnimations()) {
      if (animation.effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY) animation.finish();
    }
    const { axe } = /** @type {any} */ (globalThis);
    return (await axe.run(document)).violations;
  });
}
