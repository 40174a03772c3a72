// A test is a story: a sentence, a layout, a browser, and what a person does in it.

import test from "node:test";
import { inspect } from "node:util";
import { Journal, openBrowser } from "./browser.js";
import { startHush } from "./hush.js";

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1)); // ends the programs too

/**
 * What a story plays on.
 * @typedef {object} Stage
 * @property {import("./hush.js").Hush} hush
 * @property {import("puppeteer-core").Browser} browser
 * @property {() => Promise<Tab>} newTab opens a tab in front; a tab behind another hardly runs, so bring it to the front
 */

/**
 * A tab of the browser and the journal of its page.
 * @typedef {{ page: import("puppeteer-core").Page, journal: Journal }} Tab
 */

/**
 * Defines a test that has programs and a browser profile of its own. When it fails, the error is
 * followed by what the pages and the programs said.
 * @param {string} sentence
 * @param {{ layout: import("./hush.js").Layout, cookies: import("./browser.js").ThirdPartyCookies, config?: object }} on
 * @param {(stage: Stage) => Promise<void>} tell
 */
export function story(sentence, { layout, cookies, config }, tell) {
  test(`${sentence} [${layout.name}, third-party cookies ${cookies}]`, async () => {
    const hush = await startHush(layout, config);
    const journals = /** @type {Journal[]} */ ([]);
    try {
      const { browser, close } = await openBrowser(cookies);
      const newTab = async () => {
        const page = await browser.newPage();
        const journal = new Journal(page);
        journals.push(journal);
        return { page, journal };
      };
      await tell({ hush, browser, newTab }).finally(close);
    } catch (error) {
      console.error(evidence(sentence, hush, journals, error));
      throw error;
    } finally {
      await hush.stop();
    }
  });
}

/**
 * @param {string} sentence
 * @param {import("./hush.js").Hush} hush
 * @param {Journal[]} journals
 * @param {unknown} error
 */
function evidence(sentence, hush, journals, error) {
  const pages = journals.map((journal, index) => `--- page ${index + 1}\n${journal.lines.join("\n")}`);
  return [`=== ${sentence}`, inspect(error), ...pages, hush.output()].join("\n");
}
