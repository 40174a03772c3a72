// A newcomer's way: the start page, slow motion, the lessons. Each term of a silent renewal is on the screen at the moment
// when it happens, in words and in the picture.

import assert from "node:assert/strict";
import { findings } from "./harness/axe.js";
import { sameSite } from "./harness/hush.js";
import { clickLogin, halves, openApp, renew, renewInVain, signIn, signOutAtProvider, text } from "./harness/person.js";
import { scenes } from "./harness/story.js";

/** @typedef {import("puppeteer-core").Page} Page */

/** What a stop of slow motion says, and what the picture shows then. @typedef {{ stop: string, words: RegExp[], picture: RegExp[] }} Moment */

/** @type {Moment[]} */
const moments = [
  {
    stop: "1",
    words: [/signinSilent\(\)/, /hidden iframe/, /prompt=none/, /code_challenge/, /code_verifier/],
    picture: [/signinSilent\(\)/, /Hidden iframe/, /prompt=none/, /code_challenge/],
  },
  { stop: "2", words: [/session cookie/, /validated/, /code/], picture: [/303 \?code/] },
  { stop: "3a", words: [/notifies its parent/, /postMessage/, /signinCallback\(\)/], picture: [/postMessage: code/] },
  { stop: "3b", words: [/exchanges the code/, /code_verifier/, /client secret/], picture: [/code \+ code_verifier/] },
  { stop: "3c", words: [/ID token/, /access token/], picture: [/ID token \+ access token/] },
  {
    stop: "4",
    words: [/getUser\(\)\?\.access_token/, /API/, /Bearer/],
    picture: [/getUser\(\)\?\.access_token/, /API/],
  },
];

/** The most that a page may load, in KiB as they travel. */
const weights = /** @type {const} */ ([
  ["/", 60],
  ["/spa/", 180],
  ["/lessons/", 150],
]);

scenes("a newcomer", { layout: sameSite, cookies: "blocked" }, (scene) => {
  scene(
    "goes from the start page through slow motion to a lesson, and meets each term when it happens",
    async (stage) => {
      const { hush, newTab } = stage;
      const { page } = await newTab();
      await page.setViewport({ width: 1280, height: 900 });
      await page.goto(hush.app);
      await page.waitForSelector("#picture li");
      await follow(page, "main a[href='/slow/']");
      await page.click("#sign-in");
      await clickLogin(page, "alice");
      await page.waitForSelector("body[data-ready=true][data-signed-in=true][data-stop=start]");
      for (const moment of moments) await meet(page, moment);
      await press(page, "end");
      assert.match(await text(page, "#stop-facts"), /"hello"/, "the API's answer");

      await follow(page, "header a[href='/lessons/']");
      await page.waitForSelector("body[data-ready=true][data-signed-in=true]");
      await doLesson(page, "4");
      for (const term of ["Hidden iframe", "session cookie", "notifies its parent", "code_verifier", "access token"])
        await page.waitForFunction(says, {}, "#lesson-4", term); // the diagram is drawn after the renewal
    },
  );

  for (const half of halves) {
    scene(`${half}: nothing moves when a result arrives, and the picture is in view`, async ({ hush, newTab }) => {
      const { page } = await newTab();
      await page.setViewport({ width: 1280, height: 900 });
      await signIn(page, hush, half);
      const before = await places(page);
      assert.ok(before.picture < 900, `the picture ends at ${before.picture}`);
      await renew(page);
      assert.deepEqual(await places(page), before);
      await signOutAtProvider(page, hush);
      await openApp(page, hush, half);
      const signedOut = await places(page);
      await renewInVain(page);
      const { scrolled, ...failed } = await places(page); // the page may scroll to a message out of view
      assert.deepEqual({ ...failed, scrolled: 0 }, signedOut);
    });
  }

  scene("loads light pages", async ({ hush, newTab, note }) => {
    for (const [path, most] of weights) {
      const { page } = await newTab();
      const weight = await weightOf(page, `${hush.app}${path}`);
      note(`${path} weighs ${weight.toFixed(1)} KiB`);
      assert.ok(weight <= most, `${path} weighs ${weight.toFixed(1)} KiB, more than ${most}`);
    }
  });

  for (const half of halves) {
    scene(`axe finds nothing on /${half}/ after a renewal`, async ({ hush, newTab }) => {
      const { page } = await newTab();
      await signIn(page, hush, half);
      await renew(page);
      assert.deepEqual(await findings(page), []);
    });
  }

  scene("axe finds nothing on the start page and in slow motion", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await signIn(page, hush, "spa");
    await page.goto(hush.app);
    await page.waitForSelector("#picture li");
    assert.deepEqual(await findings(page), []);
    await page.goto(`${hush.app}/slow/`);
    await page.waitForSelector("body[data-ready=true]");
    for (const { stop } of moments) {
      await press(page, stop);
      if (stop === "2" || stop === "3c") assert.deepEqual(await findings(page), []);
    }
  });
});

/** Presses the button, and finds each term. @param {Page} page @param {Moment} moment */
async function meet(page, { stop, words, picture }) {
  await press(page, stop);
  const said = await seen(page, ".stop");
  for (const term of words) assert.match(said, term, `words at stop ${stop}`);
  const shown = `${await seen(page, "#picture .diagram-head")} ${await seen(page, "#picture li[data-state=active]")}`;
  for (const term of picture) assert.match(shown, term, `picture at stop ${stop}`);
}

/** @param {Page} page @param {string} stop */
async function press(page, stop) {
  await page.waitForSelector("#next:not([disabled])");
  await page.click("#next");
  await page.waitForSelector(`body[data-stop='${stop}']`);
  await page.waitForSelector(`#picture li[data-hop='${stop}'][data-state=active], body[data-stop=end]`);
  if (stop === "2") await page.waitForSelector("#picture .cookie[data-cookie=sent]");
}

/** Causes a failure and repairs it. @param {Page} page @param {string} id */
async function doLesson(page, id) {
  await page.click(`#lesson-${id}-link`);
  for (const [button, state] of /** @type {const} */ ([
    ["cause", "failed"],
    ["fix", "fixed"],
  ])) {
    await page.waitForSelector(`#lesson-${id}-${button}:not([disabled])`);
    await page.click(`#lesson-${id}-${button}`);
    await page.waitForSelector(`#lesson-${id}[data-state=${state}]`);
  }
}

/** Runs in the page. @param {string} selector @param {string} term */
function says(selector, term) {
  return document.querySelector(selector)?.textContent?.includes(term) ?? false;
}

/** The text of an element whose beginning is in view. @param {Page} page @param {string} selector */
async function seen(page, selector) {
  const { text, top } = await page.$eval(selector, (element) => {
    return { text: element.textContent ?? "", top: element.getBoundingClientRect().top };
  });
  assert.ok(top >= 0 && top < 900, `${selector} begins at ${top}`);
  return text;
}

/** @param {Page} page @param {string} link */
async function follow(page, link) {
  await Promise.all([page.waitForNavigation(), page.click(link)]);
}

/** Where the button begins and the picture ends on the page, and how far the page is scrolled. @param {Page} page */
function places(page) {
  return page.evaluate(() => {
    const boxOf = (/** @type {string} */ id) => document.getElementById(id)?.getBoundingClientRect();
    const [button = -1, picture = -1] = [boxOf("renew")?.top, boxOf("picture")?.bottom];
    return { button: button + scrollY, picture: picture + scrollY, scrolled: scrollY };
  });
}

/** KiB that travel until the page is quiet. @param {Page} page @param {string} address */
async function weightOf(page, address) {
  const session = await page.createCDPSession();
  await session.send("Network.enable");
  await session.send("Network.setCacheDisabled", { cacheDisabled: true });
  let bytes = 0;
  session.on("Network.loadingFinished", ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  await page.goto(address, { waitUntil: "load" });
  await page.waitForNetworkIdle({ idleTime: 500, concurrency: 2 }); // an event stream stays open
  return bytes / 1024;
}
