// The demo's lessons: each button causes exactly its failure, and its fix works.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { assertTrue, claimsOf, comesTrue } from "./harness/claims.js";
import { Console, codesOf } from "./harness/console.js";
import { Dialogs } from "./harness/fedcm.js";
import { crossSite } from "./harness/hush.js";
import { Network } from "./harness/network.js";
import { clickLogin, text } from "./harness/person.js";
import { story } from "./harness/story.js";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("./harness/hush.js").Hush} Hush */

/**
 * The reason that each lesson shows; what else always comes with it; what may follow, as the race goes; whether the
 * reason stands there early, while the client still waits for its 10 seconds; which of its causes is chosen; what the
 * app's code gets; and whether the renewal with the fix ends with an error on purpose.
 * @typedef {{ id: string, reason: string, besides?: string[], may?: string[], early?: boolean, choice?: string,
 *   told?: RegExp, refused?: boolean }} Lesson
 */

/** @type {Lesson[]} */
const lessons = [
  { id: "1", reason: "cookie.withheld_or_absent" },
  { id: "2", reason: "cookie.samesite" },
  { id: "3", reason: "page.in_iframe", early: true, told: /ErrorTimeout: IFrame timed out without a response/ },
  { id: "4", reason: "redirect.unregistered", besides: ["page.in_iframe"], early: true },
  { id: "5", reason: "callback.nested", besides: ["callback.silent"] }, // the app outside never gets its code
  { id: "6", reason: "callback.silent", choice: "mute", told: /ErrorTimeout: IFrame timed out/ },
  { id: "6", reason: "session.too_old", choice: "codes", told: /ErrorTimeout: IFrame timed out/, refused: true },
  { id: "7", reason: "renewal.looping", besides: ["token.short_lived"] },
  { id: "8", reason: "origin.not_allowed", choice: "token", told: /TypeError: Failed to fetch/ },
  { id: "8", reason: "origin.not_allowed", choice: "userinfo", told: /TypeError: Failed to fetch/ },
  { id: "8", reason: "origin.not_allowed", choice: "discovery", told: /TypeError: Failed to fetch/ },
  // a replay revokes the token of the first, perhaps in use
  { id: "9", reason: "code.replayed", choice: "code", may: ["token.invalid"], told: /ErrorResponse/ },
  { id: "9", reason: "", choice: "state", told: /No matching state found in storage/ },
  { id: "10", reason: "clock.skew" },
  { id: "10b", reason: "consent.missing" },
];

// Each has programs and a browser of its own, several at a time: in many of them a client waits for its 10 seconds.
describe("lesson", { concurrency: 4 }, () => {
  for (const lesson of lessons) {
    const which = lesson.choice ? `${lesson.id} (${lesson.choice})` : lesson.id;
    const sentence = `${which}: the button causes ${lesson.reason || "no reason"} and nothing else, and the fix works`;
    story(sentence, { layout: crossSite, cookies: "allowed" }, async ({ hush, newTab }) => {
      const { page } = await newTab();
      const [console, network] = [new Console(hush), new Network(page, hush)];
      await openLessons(page, hush);
      await showLesson(page, lesson.id);
      if (lesson.choice) await page.click(`#lesson-${lesson.id} input[value=${lesson.choice}]`);
      await console.reset();
      network.begin();
      await causes(page, console, lesson);
      await saysWhatWasSent(page, network, lesson.id, "diagram");
      await console.do("DELETE", "/console/flows");
      network.begin();
      await repairs(page, console, lesson);
      await saysWhatWasSent(page, network, lesson.id, "fixed-diagram");
    });
  }
});

story(
  "lesson 1 is real where the browser blocks the cookie, and so is its repair by FedCM",
  { layout: crossSite, cookies: "blocked" },
  async ({ hush, newTab }) => {
    const { page } = await newTab();
    await openLessons(page, hush);
    await showLesson(page, "1");
    await page.click("#lesson-1-cause");
    await reaches(page, "1", "failed");
    assert.equal(await page.$eval("#lesson-1", (card) => card.getAttribute("data-reason")), "cookie.access_denied");
    assert.deepEqual((await new Console(hush).read("/console/faults")).faults, [], "nothing is simulated");
    const dialogs = await Dialogs.of(page);
    await page.click("#lesson-1-fix");
    await dialogs.choose("alice");
    await reaches(page, "1", "fixed");
    assert.match(await text(page, "#lesson-1-works"), /the renewal was real/);
  },
);

/** The button causes the failure, and the card shows it. @param {Page} page @param {Console} console @param {Lesson} lesson */
async function causes(page, console, { id, reason, besides = [], may = [], early, choice, told = /./ }) {
  await page.click(`#lesson-${id}-cause`);
  if (early) assert.equal(await stateWhenNamed(page, id), "causing");
  await reaches(page, id, "failed");
  const shown = choice === "discovery" ? "" : reason; // that request belongs to no renewal
  assert.equal(await page.$eval(`#lesson-${id}`, (card) => card.getAttribute("data-reason")), shown);
  assert.match(await text(page, `#lesson-${id}-said`), told);
  if (id === "7") await countsWhatHappened(page, console);
  if (shown) await page.waitForSelector(`#lesson-${id}-diagram ol.diagram li`); // drawn after the renewal, not during it
  const expected = [reason, ...besides].filter((code) => code !== "");
  for (const code of expected) await console.flowWith(code);
  const found = new Set((await console.flows()).flatMap(codesOf));
  assert.deepEqual([...found].filter((code) => !may.includes(code)).sort(), expected.sort());
}

/** The fix works, and nothing stays wrong. @param {Page} page @param {Console} console @param {Lesson} lesson */
async function repairs(page, console, { id, refused }) {
  await page.click(`#lesson-${id}-fix`);
  await reaches(page, id, "fixed");
  const wanted = refused ? "failed" : "done";
  const renewed = await console.flow(({ silent, state }) => silent && state === wanted, `the state ${wanted}`);
  if (!refused) assert.deepEqual(codesOf(renewed), []);
  assert.equal(await text(page, "#lessons-done"), "1");
  assert.deepEqual((await console.read("/console/faults")).faults, [], "no fault stays behind");
  assert.equal((await console.read("/console/clock")).offset_s, 0, "the clock is right again");
}

/**
 * The diagram shows what the browser sent. In lesson 7 it shows the last renewal, and words count all of them. In lesson 5
 * it follows the renewal of the app inside the iframe.
 * @param {Page} page
 * @param {Network} network
 * @param {string} id
 * @param {"diagram" | "fixed-diagram"} diagram
 */
async function saysWhatWasSent(page, network, id, diagram) {
  const answers = id !== "5" || diagram !== "diagram";
  await comesTrue(async () => {
    const sent = await network.sent();
    const last = id === "7" ? sent.slice(sent.findLastIndex(({ request }) => request === "GET /authorize")) : sent;
    assertTrue(await claimsOf(page, `#lesson-${id}-${diagram}`), last, { answers });
  });
  if (id !== "7" || diagram !== "diagram") return;
  const [, count] = /(\d+) renewals? in 8 s/.exec(await text(page, "#lesson-7-said")) ?? [];
  const exchanges = (await network.requests()).filter((request) => request === "POST /token");
  assert.ok(Math.abs(exchanges.length - Number(count)) <= 1, `${count} renewals are said, ${exchanges} were sent`); // the last may be stopped
}

/** Goes to one lesson: only that one is shown. @param {Page} page @param {string} id */
async function showLesson(page, id) {
  await page.evaluate((lesson) => {
    location.hash = `lesson-${lesson}`;
  }, id);
  await page.waitForSelector(`#lesson-${id}-cause`, { visible: true });
  assert.equal(await page.$$eval(".lesson:not([hidden])", (cards) => cards.length), 1);
}

/** Lesson 7 says as many renewals as the provider saw. @param {Page} page @param {Console} console */
async function countsWhatHappened(page, console) {
  const [, count] = /(\d+) renewals? in 8 s/.exec(await text(page, "#lesson-7-said")) ?? [];
  const silent = (await console.flows()).filter((flow) => flow.silent && flow.state === "done");
  assert.ok(Math.abs(silent.length - Number(count)) <= 1, `${count} renewals are said, ${silent.length} were seen`); // the last may be stopped
}

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
