// The demo's lessons: each button causes exactly its failure, and its fix works.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { Console, codesOf } from "./harness/console.js";
import { crossSite } from "./harness/hush.js";
import { clickLogin } from "./harness/person.js";
import { story } from "./harness/story.js";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("./harness/hush.js").Hush} Hush */

/**
 * The reason that each lesson shows; what else always comes with it; what may follow, as the race goes; and whether the
 * reason stands there early, while the client still waits for its 10 seconds.
 * @type {{ id: string, reason: string, besides?: string[], may?: string[], early?: boolean }[]}
 */
const lessons = [
  { id: "1", reason: "cookie.withheld_or_absent" },
  { id: "2", reason: "cookie.samesite" },
  { id: "3", reason: "page.in_iframe", early: true },
  { id: "4", reason: "redirect.unregistered", besides: ["page.in_iframe"], early: true },
  { id: "5", reason: "callback.nested", besides: ["callback.silent"] }, // the app outside never gets its code
  { id: "6", reason: "callback.silent" },
  { id: "7", reason: "renewal.looping", besides: ["token.short_lived"] },
  { id: "8", reason: "origin.not_allowed" },
  { id: "9", reason: "code.replayed", may: ["token.invalid"] }, // a replay revokes the token of the first, perhaps in use
  { id: "10", reason: "clock.skew" },
  { id: "10b", reason: "consent.missing" },
];

// Each has programs and a browser of its own, several at a time: in many of them a client waits for its 10 seconds.
describe("lesson", { concurrency: 4 }, () => {
  for (const { id, reason, besides = [], may = [], early } of lessons) {
    const sentence = `${id}: the button causes ${reason} and nothing else, and the fix works`;
    story(sentence, { layout: crossSite, cookies: "allowed" }, async ({ hush, newTab }) => {
      const { page } = await newTab();
      const console = new Console(hush);
      await openLessons(page, hush);
      assert.equal(await page.$$eval(".lesson", (cards) => cards.length), lessons.length);
      await console.reset();
      await page.click(`#lesson-${id}-cause`);
      if (early) assert.equal(await stateWhenNamed(page, id), "causing");
      await reaches(page, id, "failed");
      assert.equal(await page.$eval(`#lesson-${id}`, (card) => card.getAttribute("data-reason")), reason);
      await page.waitForSelector(`#lesson-${id}-diagram ol.diagram li`); // it is drawn after the renewal, not during it
      for (const code of [reason, ...besides]) await console.flowWith(code);
      const found = new Set((await console.flows()).flatMap(codesOf));
      assert.deepEqual([...found].filter((code) => !may.includes(code)).sort(), [reason, ...besides].sort());

      await console.do("DELETE", "/console/flows");
      await page.click(`#lesson-${id}-fix`);
      await reaches(page, id, "fixed");
      const renewed = await console.flow(({ silent, state }) => silent && state === "done", "a renewal that works");
      assert.deepEqual(codesOf(renewed), []);
      assert.deepEqual((await console.read("/console/faults")).faults, [], "no fault stays behind");
      assert.equal((await console.read("/console/clock")).offset_s, 0, "the clock is right again");
    });
  }
});

/** Opens the lessons as a signed-in user. @param {Page} page @param {Hush} hush */
async function openLessons(page, hush) {
  await page.goto(`${hush.app}/lessons/`);
  await page.waitForSelector("body[data-ready=true]");
  await page.click("#sign-in");
  await clickLogin(page, "alice");
  await page.waitForSelector("body[data-ready=true][data-signed-in=true]");
}

/** Waits until the lesson is there; it says so in words too. @param {Page} page @param {string} id @param {"failed" | "fixed"} state */
async function reaches(page, id, state) {
  const ended = await page.waitForFunction(
    (lesson, wanted) => {
      const element = document.getElementById(lesson);
      const now = element?.dataset.state;
      return now === wanted || now === "idle" ? { now, words: element?.textContent?.replace(/\s+/g, " ") } : undefined;
    },
    {},
    `lesson-${id}`,
    state,
  );
  const { now, words } = (await ended.jsonValue()) ?? {};
  assert.equal(now, state, words);
}

/** Waits until the lesson shows a reason, and returns its state at that moment. @param {Page} page @param {string} id */
async function stateWhenNamed(page, id) {
  const named = await page.waitForFunction(
    (lesson) => {
      const dataset = document.getElementById(lesson)?.dataset;
      return dataset?.reason ? dataset.state : undefined;
    },
    {},
    `lesson-${id}`,
  );
  return named.jsonValue();
}
