// The provider's page that asks the browser for access to the cookie, in a frame of the app (Storage Access API).

import assert from "node:assert/strict";
import { clickInFrame, frameAskPage, setStorageAccess } from "./harness/access.js";
import { crossSite } from "./harness/hush.js";
import { clickLogin, openApp, signIn } from "./harness/person.js";
import { page as blank, startSite } from "./harness/site.js";
import { scenes } from "./harness/story.js";

/** @typedef {import("puppeteer-core").Page} Page */

/** Waits until the app's page has heard these results, in this order. @param {Page} page @param {string[]} results */
async function heard(page, ...results) {
  const want = ["loaded", ...results].map((result) => `${result} to us;`).join("");
  await page.waitForFunction((text) => document.body.dataset.told === text, {}, want);
}

scenes("the page that asks for access to the cookie", { layout: crossSite, cookies: "blocked" }, (scene) => {
  scene("never visited: the browser refuses, and a visit in a new window helps", async ({ hush, newTab, browser }) => {
    const { page } = await newTab();
    await setStorageAccess(browser, hush, "denied"); // as Chromium answers for a provider that was never visited
    await openApp(page, hush, "spa");
    const frame = await frameAskPage(page, hush);
    await heard(page, "ready");
    await clickInFrame(frame, "#storage-ask");
    await heard(page, "ready", "denied");

    const opened = browser.waitForTarget((target) => target.url().startsWith(`${hush.issuer}/login`));
    await frame.waitForSelector("#storage-denied:not([hidden]) #storage-visit");
    await clickInFrame(frame, "#storage-visit");
    const visit = await (await opened).page();
    assert.ok(visit);
    await clickLogin(visit, "alice");
    await visit.waitForSelector("#storage-visited");
    const closed = new Promise((resolve) => visit.once("close", resolve));
    await visit.click("#storage-close").catch(() => undefined); // the window may be gone before the click is reported
    await closed;

    await setStorageAccess(browser, hush, "granted"); // as the person answers now
    await page.bringToFront();
    await clickInFrame(frame, "#storage-ask");
    await heard(page, "ready", "denied", "granted");
    await frame.waitForSelector("#storage-granted:not([hidden])");
  });

  scene("allowed before: no click is needed", async ({ hush, newTab, browser }) => {
    const { page } = await newTab();
    await setStorageAccess(browser, hush, "granted");
    await signIn(page, hush, "spa");
    const frame = await frameAskPage(page, hush);
    await heard(page, "granted");
    await frame.waitForSelector("#storage-ask[disabled]");
  });

  scene("a browser without the Storage Access API says so at once", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await page.evaluateOnNewDocument("delete Document.prototype.requestStorageAccess");
    await openApp(page, hush, "spa");
    const frame = await frameAskPage(page, hush);
    await heard(page, "unsupported");
    await frame.waitForSelector("#storage-unsupported:not([hidden])");
  });

  scene("no page of an unregistered origin frames it, not with the app's origin either", async ({ hush, newTab }) => {
    const site = await startSite({ "/": blank() }, { host: "evil.localhost" });
    try {
      const { page } = await newTab();
      for (const origin of [new URL(hush.app).origin, site.origin]) {
        await page.goto(site.origin);
        const frame = await frameAskPage(page, hush, { origin });
        await page.waitForSelector("body[data-loaded]");
        assert.equal(await page.$eval("body", ({ dataset }) => dataset.told), undefined);
        assert.match(frame.url(), /^chrome-error:/, "the browser blocked the page");
      }
    } finally {
      await site.stop();
    }
  });

  scene(
    "clickjacking: a click on the covered button gives nothing that the browser refuses",
    async ({ hush, newTab, browser }) => {
      const { page } = await newTab();
      await signIn(page, hush, "spa");
      await setStorageAccess(browser, hush, "prompt"); // a headless browser's question is closed without an answer
      const frame = await frameAskPage(page, hush);
      await page.$eval("#ask", (element) => element.setAttribute("style", "opacity: 0"));
      await heard(page, "ready");
      await frame.$eval("#storage-ask", (button) => button instanceof HTMLElement && button.click());
      await heard(page, "ready", "denied");
      assert.equal(await frame.evaluate(() => document.hasStorageAccess()), false);
    },
  );
});

scenes("the page that asks", { layout: crossSite, cookies: "allowed" }, (scene) => {
  scene("there is nothing to ask", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await openApp(page, hush, "spa");
    await frameAskPage(page, hush);
    await heard(page, "granted");
  });
});

scenes("the page that asks", { layout: crossSite, cookies: "blocked", browser: "firefox" }, (scene) => {
  scene("after a visit Firefox grants it with the click", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await signIn(page, hush, "spa");
    const frame = await frameAskPage(page, hush);
    await heard(page, "ready");
    await clickInFrame(frame, "#storage-ask:not([disabled])");
    await heard(page, "ready", "granted");
  });
});
