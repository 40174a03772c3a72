// Slow motion: a real renewal, held at each message until a button is pressed.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { root } from "../scripts/program.js";
import { refused, stops } from "../static/demo/slow/stops.js";
import { Console, recordsAt } from "./harness/console.js";
import { crossSite, sameSite } from "./harness/hush.js";
import { clickLogin } from "./harness/person.js";
import { scenes, story } from "./harness/story.js";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("./harness/hush.js").Hush} Hush */

test("each line of code that it shows stands in the file that it names", async () => {
  for (const { file, lines } of [...stops, ...refused].flatMap(({ code }) => code)) {
    const source = file ? await readFile(new URL(`static/demo/${file}`, root), "utf8") : "";
    for (const line of file ? lines : []) assert.ok(source.includes(line), `${file} has no line ${line}`);
  }
});

scenes("slow motion", { layout: sameSite, cookies: "blocked" }, (scene) => {
  scene("each message is sent when its button is pressed, and not before", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await open(page, hush);
    const console = new Console(hush);
    await console.reset();
    const sent = /** @type {string[]} */ ([]);
    page.on("request", (request) => {
      const address = request.url().replace(hush.issuer, hush.app); // the issuer may have a path
      sent.push(`${request.method()} ${new URL(address).pathname}`);
    });
    const wasSent = (/** @type {string} */ line) => sent.includes(line);
    await next(page, "1");
    assert.equal(await page.$("iframe[title='silent renewal']"), null);
    assert.ok(!wasSent("GET /authorize"));
    await next(page, "2");
    assert.ok(wasSent("GET /authorize"));
    await page.waitForSelector("#picture .cookie[data-cookie=sent]");
    await next(page, "3a");
    await next(page, "3b");
    assert.ok(!wasSent("POST /token"));
    await next(page, "3c");
    assert.ok(wasSent("POST /token") && !wasSent("GET /api/me"));
    await next(page, "4");
    assert.ok(!wasSent("GET /api/me"));
    await next(page, "end");
    assert.ok(wasSent("GET /api/me"));
    const flow = await console.flow(({ silent, state }) => silent && state === "done", "the renewal");
    assert.deepEqual(
      ["authorize", "token"].map((endpoint) => recordsAt(flow, endpoint).length),
      [1, 1],
    );
  });

  scene("the button stays where it is, and the picture is in view", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await page.setViewport({ width: 1280, height: 900 });
    await open(page, hush);
    const first = await placeOf(page, "#next");
    for (const id of ["1", "2", "3a", "3b", "3c", "4", "end"]) {
      await next(page, id);
      assert.deepEqual(await placeOf(page, "#next"), first, `at stop ${id}`);
      const { top, bottom } = await page.$eval("#picture", (element) => element.getBoundingClientRect().toJSON());
      assert.ok(top >= 0 && bottom <= 900, `the picture is from ${top} to ${bottom} at stop ${id}`);
    }
  });

  scene("it can be replayed and read backwards without another request", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await open(page, hush);
    for (const id of ["1", "2", "3a", "3b", "3c", "4", "end"]) await next(page, id);
    const sent = /** @type {string[]} */ ([]);
    page.on("request", (request) => void sent.push(request.url()));
    await next(page, "1"); // replay
    await page.waitForSelector("body[data-stop='2']");
    await page.click("#back");
    await page.waitForSelector("body[data-stop='1']");
    assert.deepEqual(
      sent.filter((url) => /authorize|token$|api\/me/.test(url)),
      [],
    );
  });
});

story(
  "a withheld cookie stays behind, and the renewal fails with the error of the provider",
  { layout: crossSite, cookies: "blocked" },
  async ({ hush, newTab }) => {
    const { page } = await newTab();
    await open(page, hush);
    await next(page, "1");
    await next(page, "2");
    await page.waitForSelector("#picture .cookie[data-cookie=withheld]");
    await page.waitForSelector("#picture li[data-hop='2'][data-state=failed]");
    await next(page, "3a");
    await next(page, "failed");
    assert.match(await page.$eval("#stop-facts", (element) => element.textContent ?? ""), /login_required/);
  },
);

/** Signs in on the page of slow motion. @param {Page} page @param {Hush} hush */
async function open(page, hush) {
  await page.goto(`${hush.app}/slow/`);
  await page.waitForSelector("body[data-ready=true]");
  await page.click("#sign-in");
  await clickLogin(page, "alice");
  await page.waitForSelector("body[data-ready=true][data-signed-in=true][data-stop=start]");
}

/** Presses the button and waits for the stop. @param {Page} page @param {string} stop */
async function next(page, stop) {
  await page.waitForSelector("#next:not([disabled])");
  await page.click("#next");
  await page.waitForSelector(`body[data-stop='${stop}']`);
}

/** @param {Page} page @param {string} selector */
function placeOf(page, selector) {
  return page.$eval(selector, (element) => {
    const { left, top } = element.getBoundingClientRect();
    return { left, top: top + window.scrollY };
  });
}
