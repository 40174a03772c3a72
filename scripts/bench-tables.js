// Writes the results of bench-silent.js as tables of Markdown.

import { readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";

/**
 * Milliseconds of one renewal, or of one bare iframe with a fetch: all, and its three parts.
 * @typedef {object} Times
 * @property {number} all
 * @property {number} before until the iframe is in the page
 * @property {number} iframe until its message: the navigation, the redirect and the page
 * @property {number} after the exchange of the code, or the fetch
 */

/** @typedef {{ layout: string, chromium: string, renewals: Times[], baselines: Times[] }} Measured */

/** @type {[keyof Times, string][]} */
const parts = [
  ["before", "until the iframe is in the page"],
  ["iframe", "navigation, redirect, page, message"],
  ["after", "`POST /token`, or the fetch"],
];

/** The texts for a page, each by the name of its marks. @param {Measured[]} measured */
export function inWords(measured) {
  return { browser: comparison(measured), "browser parts": whereItGoes(measured) };
}

/** @param {Measured[]} measured */
function comparison(measured) {
  const [first] = measured;
  const day = new Date().toLocaleDateString("en-GB", {
    day: "numeric",
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  });
  const cores = cpus();
  const rows = measured.map(({ layout, renewals, baselines }) => {
    const ratio = median(renewals, "all") / median(baselines, "all");
    return `| ${layout} | ${spread(baselines)} | ${spread(renewals)} | **${ratio.toFixed(2)}** |`;
  });
  return [
    `Measured on ${day} with ${first?.chromium} on ${cores.length} processors (${cores[0]?.model}): ` +
      `${first?.renewals.length} of each, in turn.`,
    "",
    "| app and provider | bare iframe and fetch | `signinSilent()` | ratio of the medians |",
    "|---|---:|---:|---:|",
    ...rows,
    "",
  ].join("\n");
}

/** @param {Measured[]} measured */
function whereItGoes(measured) {
  const heads = measured.map(({ layout }) => `${layout}: bare | ${layout}: renewal`);
  const rows = parts.map(([part, words]) => {
    const both = measured.map(({ renewals, baselines }) => `${ms(baselines, part)} | ${ms(renewals, part)}`);
    return `| ${words} | ${both.join(" | ")} |`;
  });
  return [`| part | ${heads.join(" | ")} |`, `|---|${"---:|".repeat(2 * measured.length)}`, ...rows, ""].join("\n");
}

/** @param {Times[]} times */
function spread(times) {
  const [low, high] = [quantile(times, "all", 0.05), quantile(times, "all", 0.95)];
  return `${ms(times, "all")} (${low.toFixed(0)}–${high.toFixed(0)})`;
}

/** @param {Times[]} times @param {keyof Times} part */
function ms(times, part) {
  const middle = median(times, part);
  return `${middle.toFixed(middle < 10 ? 1 : 0)} ms`;
}

/** @param {Times[]} times @param {keyof Times} part */
function median(times, part) {
  return quantile(times, part, 0.5);
}

/** @param {Times[]} times @param {keyof Times} part @param {number} share */
function quantile(times, part, share) {
  const sorted = times.map((each) => each[part]).toSorted((a, b) => a - b);
  return sorted[Math.floor(share * sorted.length)] ?? Number.NaN;
}

/** Replaces the text between each pair of marks. @param {string} path @param {Record<string, string>} texts */
export async function writeBetweenMarks(path, texts) {
  let page = await readFile(path, "utf8");
  for (const [name, text] of Object.entries(texts)) {
    const begin = `<!-- measured: ${name} -->\n`;
    const [before, rest] = page.split(begin);
    const end = rest?.indexOf("<!-- end -->") ?? -1;
    if (rest === undefined || end < 0) throw new Error(`${path} has no text between ${begin.trim()} and <!-- end -->`);
    page = before + begin + text + rest.slice(end);
  }
  await writeFile(path, page);
}
