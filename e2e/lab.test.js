// The failure lab is announced wherever a person looks, so that nobody takes a failure on purpose for another.

import assert from "node:assert/strict";
import { Console } from "./harness/console.js";
import { sameSite } from "./harness/hush.js";
import { renew, renewInVain, signIn, text } from "./harness/person.js";
import { scenes } from "./harness/story.js";

/** @typedef {import("puppeteer-core").Page} Page */

scenes("the failure lab", { layout: sameSite, cookies: "allowed" }, (scene) => {
  scene("each page says what it does, and the button turns it off", async ({ hush, newTab }) => {
    const { page } = await newTab();
    const console = new Console(hush);
    await console.reset();
    const apps = ["/", "/spa/", "/web/", "/both/", "/tokens/", "/lessons/"].map((path) => hush.app + path);
    const pages = [...apps, `${hush.issuer}/`, `${hush.issuer}/console`, `${hush.issuer}/reasons/`];
    await console.fault({ fault: "drop", client: "spa", for: "2m" });
    for (const address of pages) {
      await page.goto(address);
      await announces(page, /Failure lab: the provider closes the connection .*\(drop\) for spa, [12]:\d\d left\./);
      await page.click("#lab-on button");
      await page.waitForFunction(() => document.getElementById("lab-on")?.hidden !== false); // absent from a page without scripts
      assert.deepEqual((await console.read("/console/lab")).notices, [], address);
      await console.fault({ fault: "drop", client: "spa", for: "2m" });
    }
    await console.reset();
    await console.forward("10m");
    await page.goto(`${hush.app}/spa/`);
    await announces(page, /Failure lab: the provider's clock is 10m ahead\./);
    await page.click("#lab-on button");
    await page.waitForSelector("#lab-on", { hidden: true });
    assert.equal((await console.read("/console/clock")).offset_s, 0);
  });

  scene("a message about a made-up failure says that it is made up, and calls one site one site", async (stage) => {
    const { page } = await stage.newTab();
    const console = new Console(stage.hush);
    await console.reset();
    await signIn(page, stage.hush, "spa");
    await console.fault({ fault: "cookie_samesite_lax", client: "spa", for: "2m" });
    const { code, words } = await renewInVain(page);
    assert.equal(code, "cookie_withheld");
    assert.match(words, /The failure lab of .* made this failure\./);
    assert.match(words, /are the same site\./);
    assert.doesNotMatch(words, /are different sites/);
    assert.match(words, /\(failure lab: caused by the fault cookie_samesite_lax\) \[cookie\.samesite\]/);
    await announces(page, /\(cookie_samesite_lax\) for spa/);
    await console.reset();
  });

  scene(
    "a renewal that succeeds in spite of a fault has the fault's name in the list, the heading and the diagram",
    async (stage) => {
      const { hush } = stage;
      const app = await stage.newTab();
      await signIn(app.page, hush, "spa");
      const console = new Console(hush);
      await console.reset();
      await console.fault({ fault: "missing_kid", client: "spa" });
      await renew(app.page);
      const flow = await console.flow(({ silent, state }) => silent && state === "done", "the renewal");
      const { page } = await stage.newTab();
      await page.goto(`${hush.issuer}/console`);
      await page.waitForSelector(`#flow-more[data-flow="${flow.id}"]`);
      for (const place of [
        "#flow-list li",
        "#flow-head h3",
        "ol.diagram li[data-from=provider][data-step='3'] summary",
      ])
        assert.equal(await text(page, `${place} [data-fault=missing_kid]`), "failure lab: missing_kid", place);
      assert.equal((await page.$$("ol.diagram [data-fault]")).length, 1, "the other arrows have no tag");
      await console.reset();
    },
  );
});

/** @param {Page} page @param {RegExp} words */
async function announces(page, words) {
  await page.waitForSelector("#lab-on p", { visible: true });
  assert.match(await text(page, "#lab-on"), words, page.url());
}
