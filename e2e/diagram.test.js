// The sequence diagram: the messages of a flow, in the order of the four steps, in the demo's timeline and in the console.

import assert from "node:assert/strict";
import { Console } from "./harness/console.js";
import { crossSite, sameSite } from "./harness/hush.js";
import { halves, renew, renewInVain, signIn, signOutAtProvider } from "./harness/person.js";
import { scenes } from "./harness/story.js";

/** @typedef {import("puppeteer-core").Page} Page */

/** One arrow as the page holds it. @typedef {{ step: number, from: string, to: string, state: string, reason: string, source: string }} Arrow */

/** @type {{ place: import("./harness/story.js").Place, inHalves: import("./harness/person.js").Half[] }[]} */
const theatres = [
  { place: { layout: sameSite, cookies: "blocked" }, inHalves: halves },
  { place: { layout: crossSite, cookies: "granted", browser: "firefox" }, inHalves: ["spa"] },
];

/** The picture after a renewal. @type {Record<import("./harness/person.js").Half, { lanes: string[], hops: string[] }>} */
const pictures = {
  spa: {
    lanes: ["App’s page", "Hidden iframe", "Provider", "API"],
    hops: ["1 done", "2 done", "3a done", "3b done", "3c done", "4 done"],
  },
  web: {
    lanes: ["App’s page", "Hidden iframe", "App’s server", "Provider", "API"],
    hops: ["1a done", "1b done", "2 done", "3a done", "3b done", "3c done", "3d done", "4 done"],
  },
};

for (const { place, inHalves } of theatres) {
  scenes("the diagram", place, (scene) => {
    for (const half of inHalves) {
      scene(`${half}: shows the four steps of a renewal in order, each done`, async ({ hush, newTab }) => {
        const { page } = await newTab();
        await signIn(page, hush, half);
        await renew(page);
        await page.waitForSelector("ol.diagram[data-state=done] li[data-step='4'][data-state=done]");
        assertOrder(await arrows(page), half === "web" ? "server" : "app");
      });

      scene(
        `${half}: the picture has a lane for each party and an arrow for each message`,
        async ({ hush, newTab }) => {
          const { page } = await newTab();
          await signIn(page, hush, half);
          await renew(page);
          await page.waitForSelector("#picture li[data-hop='4'][data-state=done]");
          const lanes = await page.$$eval("#picture .diagram-head span", (names) =>
            names.map((name) => name.textContent),
          );
          const hops = await page.$$eval("#picture li", (all) =>
            all.map(({ dataset }) => `${dataset.hop} ${dataset.state}`),
          );
          assert.deepEqual(lanes, pictures[half].lanes);
          assert.deepEqual(hops, pictures[half].hops);
        },
      );

      if (half === "web") {
        scene("web: what the page infers comes before its effect, however late the page hears of it", async (stage) => {
          const { page } = await stage.newTab();
          await page.evaluateOnNewDocument(hearLate);
          await signIn(page, stage.hush, half);
          await renew(page);
          await page.waitForSelector("ol.diagram[data-state=done] li[data-step='4'][data-state=done]");
          const way = (await arrows(page)).map(({ step, from, to }) => `${step} ${from} > ${to}`);
          for (const [cause = "", effect = ""] of [
            ["1 iframe > server", "1 iframe > provider"],
            ["3 iframe > server", "3 server > provider"],
          ]) {
            assert.ok(way.includes(cause) && way.indexOf(cause) < way.indexOf(effect), `${cause} in ${way.join(", ")}`);
          }
        });
      }

      scene(`${half}: draws each arrow in the style that the legend names`, async ({ hush, newTab }) => {
        const { page } = await newTab();
        await signIn(page, hush, half);
        await renew(page);
        await page.waitForSelector("ol.diagram[data-state=done] li[data-step='4'][data-state=done]");
        const styles = await lineStyles(page);
        assert.equal(styles["browser done"], "dotted");
        assert.equal(styles["provider done"], "solid");
        const inferred = Object.keys(styles).filter((name) => name.endsWith(" unseen"));
        assert.deepEqual(inferred, half === "web" ? ["browser unseen"] : []);
        for (const name of inferred) assert.equal(styles[name], "dashed", name);
      });

      scene(`${half}: stops in red at step 2 when nobody is signed in`, async ({ hush, newTab }) => {
        const app = await newTab();
        await signIn(app.page, hush, half);
        const idp = await newTab();
        await signOutAtProvider(idp.page, hush);
        await app.page.bringToFront();
        await renewInVain(app.page);
        await app.page.waitForSelector("ol.diagram[data-state=failed] li[data-state=failed]");
        await app.page.waitForSelector("#picture li[data-hop='2'][data-state=failed]");
        const texts = await app.page.$$eval("#picture .text", (all) => all.map(({ textContent }) => textContent));
        assert.ok(texts.includes("303 ?error") && !texts.includes("303 ?code"), texts.join(", "));
        const shown = await arrows(app.page);
        const red = shown.filter(({ state }) => state === "failed");
        assert.ok(
          red.some(({ step, reason }) => step === 2 && reason === "session.none"),
          JSON.stringify(shown),
        );
        assert.deepEqual(
          shown.filter(({ step, state }) => step > 2 && state === "done" && step !== 3),
          [],
        );
      });
    }

    scene(
      "the console shows the same, and each arrow opens to parameters, checks, cookies and sections",
      async (stage) => {
        const { hush, newTab } = stage;
        const app = await newTab();
        await signIn(app.page, hush, "spa");
        const console = new Console(hush);
        await console.reset();
        await renew(app.page);
        const flow = await console.flow(({ silent, state }) => silent && state === "done", "the renewal");
        for (const { record, state, text } of flow.messages ?? [])
          assert.ok(record || state !== "done", `${text} opens`);
        const { page } = await newTab();
        await page.goto(`${hush.issuer}/console`);
        await page.waitForSelector(`ol.diagram[data-flow="${flow.id}"] li[data-step='3'][data-state=done]`);
        assertOrder(await arrows(page));
        const opened = await open(page, "li[data-step='1'][data-state=done]");
        assert.match(opened, /code_challenge/);
        assert.match(opened, /RFC 7636/);
        assert.match(opened, /SameSite=/);
        assert.match(opened, /passed/);
      },
    );
  });
}

/** The page hears each message of its iframe a fifth of a second later, as on a busy machine. */
function hearLate() {
  const { addEventListener } = window;
  window.addEventListener = (/** @type {string} */ type, /** @type {any} */ hear, /** @type {any} */ options) => {
    const later = (/** @type {Event} */ event) => void setTimeout(hear, 200, event);
    addEventListener.call(window, type, type === "message" ? later : hear, options);
  };
}

/** The arrows stand in the order of the steps; each step has one that happened. @param {Arrow[]} shown @param {string} client the lane that exchanges the code */
function assertOrder(shown, client = "app") {
  const steps = shown.map(({ step }) => step).filter((step) => step > 0);
  assert.deepEqual(steps, steps.toSorted(), JSON.stringify(shown));
  for (const step of [1, 2, 3, 4]) {
    assert.ok(
      shown.some((arrow) => arrow.step === step),
      `step ${step} is shown: ${JSON.stringify(shown)}`,
    );
  }
  assert.deepEqual(
    shown.filter(({ state }) => state === "failed"),
    [],
  );
  const way = shown.map(({ step, from, to }) => `${step} ${from} > ${to}`);
  for (const hop of [
    "1 iframe > provider",
    "2 provider > iframe",
    `3 ${client} > provider`,
    `3 provider > ${client}`,
    `4 ${client} > api`,
  ]) {
    assert.ok(way.includes(hop), `${hop} is among ${way.join(", ")}`);
  }
}

/** @param {Page} page @returns {Promise<Arrow[]>} */
function arrows(page) {
  return page.$$eval("ol.diagram > li", (items) =>
    items.map(({ dataset: { step, from = "", to = "", state = "", reason = "", source = "" } }) => {
      return { step: Number(step), from, to, state, reason, source };
    }),
  );
}

/** The lines of the arrows between lanes, by who saw the message and its state. @param {Page} page */
function lineStyles(page) {
  return page.$$eval('ol.diagram > li:has(.arrow:not([data-direction="self"]))', (items) => {
    /** @type {Record<string, string>} */
    const styles = {};
    for (const item of items) {
      const arrow = item.querySelector(".arrow") ?? item;
      const { dataset } = /** @type {HTMLElement} */ (item);
      styles[`${dataset.source} ${dataset.state}`] = getComputedStyle(arrow, "::before").borderTopStyle;
    }
    return styles;
  });
}

/** Opens an arrow like a person with a keyboard, and reads what it opens to. @param {Page} page @param {string} arrow */
async function open(page, arrow) {
  await page.focus(`ol.diagram ${arrow} summary`);
  await page.keyboard.press("Enter");
  const opened = await page.waitForSelector(`ol.diagram ${arrow} details[open] .opened`);
  return (await opened?.evaluate((element) => element.textContent)) ?? "";
}
