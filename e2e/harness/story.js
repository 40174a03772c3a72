// A test is a story: a sentence, a layout, a browser, and what a person does in it.

import { after, before, describe, test } from "node:test";
import { inspect } from "node:util";
import { openBrowser } from "./browser.js";
import { startHush } from "./hush.js";
import { Journal } from "./journal.js";

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1)); // ends the programs too

/** @typedef {import("./browser.js").BrowserName} BrowserName */
/** @typedef {import("./browser.js").ThirdPartyCookies} ThirdPartyCookies */
/** @typedef {import("./hush.js").Hush} Hush */

/**
 * Where a story plays. Without a browser's name it is Chromium.
 * @typedef {{ layout: import("./hush.js").Layout, cookies: ThirdPartyCookies, browser?: BrowserName, config?: object }} Place
 */

/**
 * What a story plays on.
 * @typedef {object} Stage
 * @property {Hush} hush
 * @property {import("puppeteer-core").Browser} browser
 * @property {() => Promise<Tab>} newTab opens a tab in front; a tab behind another hardly runs, so bring it to the front
 * @property {(line: string) => void} note says something in the report that nothing depends on, such as a duration
 */

/**
 * A tab of the browser and the journal of its page.
 * @typedef {{ page: import("puppeteer-core").Page, journal: Journal }} Tab
 */

/**
 * Defines a test that has programs and a browser profile of its own. When it fails, the error is
 * followed by what the pages and the programs said.
 * @param {string} sentence
 * @param {Place} place
 * @param {(stage: Stage) => Promise<void>} tell
 */
export function story(sentence, place, tell) {
  test(`${sentence} [${nameOf(place)}]`, async (t) => {
    const theatre = await open(place);
    try {
      await play(theatre, t, sentence, tell);
    } finally {
      await theatre.close();
    }
  });
}

/**
 * Defines stories that share programs and a browser. Each begins with a browser without cookies, and closes its tabs.
 * @param {string} title
 * @param {Place} place
 * @param {(scene: (sentence: string, tell: (stage: Stage) => Promise<void>) => void) => void} define
 */
export function scenes(title, place, define) {
  describe(`${title} [${nameOf(place)}]`, () => {
    /** @type {Theatre} */
    let theatre;
    before(async () => {
      theatre = await open(place);
    });
    after(() => theatre?.close());
    define((sentence, tell) => {
      test(sentence, (t) => play(theatre, t, sentence, tell));
    });
  });
}

/** @typedef {{ hush: Hush, browser: import("puppeteer-core").Browser, close: () => Promise<void> }} Theatre */

/** @param {Place} place @returns {Promise<Theatre>} */
async function open({ layout, cookies, browser: name = "chromium", config }) {
  const hush = await startHush(layout, config);
  try {
    const { browser, close } = await openBrowser(name, cookies);
    return { hush, browser, close: () => close().finally(hush.stop) };
  } catch (error) {
    await hush.stop();
    throw error;
  }
}

/**
 * @param {Theatre} theatre
 * @param {import("node:test").TestContext} t
 * @param {string} sentence
 * @param {(stage: Stage) => Promise<void>} tell
 */
async function play({ hush, browser }, t, sentence, tell) {
  const tabs = /** @type {Tab[]} */ ([]);
  const newTab = async () => {
    const page = await browser.newPage();
    const tab = { page, journal: new Journal(page) };
    tabs.push(tab);
    return tab;
  };
  try {
    await tell({ hush, browser, newTab, note: (line) => t.diagnostic(line) });
  } catch (error) {
    console.error(evidence(sentence, hush, tabs, error));
    throw error;
  } finally {
    await leave(browser, tabs);
  }
}

/**
 * Leaves nothing for the next story of the same browser.
 * @param {import("puppeteer-core").Browser} browser
 * @param {Tab[]} tabs
 */
async function leave(browser, tabs) {
  await Promise.all(tabs.filter(({ page }) => !page.isClosed()).map(({ page }) => page.close()));
  await browser.deleteCookie(...(await browser.cookies())); // now that no page can get another
}

/** @param {Place} place */
function nameOf({ layout, cookies, browser }) {
  return [...(browser ? [browser] : []), layout.name, `third-party cookies ${cookies}`].join(", ");
}

/**
 * @param {string} sentence
 * @param {Hush} hush
 * @param {Tab[]} tabs
 * @param {unknown} error
 */
function evidence(sentence, hush, tabs, error) {
  const pages = tabs.map(({ journal }, index) => `--- page ${index + 1}\n${journal.lines.join("\n")}`);
  return [`=== ${sentence}`, inspect(error), ...pages, hush.output()].join("\n");
}
