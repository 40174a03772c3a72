// The page about tokens: refresh token and iframe side by side, DPoP, revocation, and a sign-out that is noticed.

import assert from "node:assert/strict";
import { crossSite, sameSite } from "./harness/hush.js";
import { clickLogin, signIn, signOutAtProvider, text } from "./harness/person.js";
import { scenes } from "./harness/story.js";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("./harness/hush.js").Hush} Hush */

/** Signs in and opens the page. @param {Page} page @param {Hush} hush */
async function open(page, hush) {
  await signIn(page, hush, "spa");
  await page.goto(`${hush.app}/tokens/`);
  await page.waitForSelector("body[data-ready=true]");
}

/** Presses a button and returns what its card then says. @param {Page} page @param {string} button @param {string} card */
async function press(page, button, card) {
  await page.click(`#${button}`);
  await page.waitForSelector(`#${button}:not([disabled])`);
  const code = await page.$eval("#message", (message) => message.getAttribute("data-code")); // its words go a moment later
  assert.equal(code || "", "", "nothing failed");
  return text(page, `#${card}-said`);
}

scenes("the page about tokens", { layout: sameSite, cookies: "blocked" }, (scene) => {
  scene("both ways renew, and the refresh token is another each time", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await open(page, hush);
    const first = await press(page, "renew-both", "refresh-way");
    assert.match(first, /is spent/);
    assert.match(await text(page, "#iframe-way-said"), /^Renewed in/);
    assert.notEqual(await press(page, "renew-both", "refresh-way"), first);
  });

  scene("Core §11 the refresh token goes on after a sign-out, the iframe does not", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await open(page, hush);
    const before = await press(page, "renew-both", "refresh-way");
    const other = await newTab();
    await signOutAtProvider(other.page, hush);
    await page.bringToFront();
    await page.click("#renew-both");
    await page.waitForSelector("#message[data-error=login_required]");
    assert.match(await text(page, "#iframe-way-said"), /^Failed: session\.none$/);
    const after = await text(page, "#refresh-way-said");
    assert.match(after, /is spent/);
    assert.notEqual(after, before);
  });

  scene("RFC 9449 §7.1 a bound token opens userinfo with a proof only", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await open(page, hush);
    assert.match(await press(page, "bind", "dpop"), /answers 200\. .* 401\.$/);
  });

  scene("RFC 7009 §2 a revoked token opens nothing", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await open(page, hush);
    assert.match(await press(page, "revoke", "revoke"), /answered 200 .* after POST \/revoke 401/);
  });

  scene("Session Management §3.1 a sign-out in another tab is noticed", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await open(page, hush);
    await press(page, "watch", "monitor");
    const other = await newTab();
    await signOutAtProvider(other.page, hush);
    await page.bringToFront();
    await page.waitForSelector("#monitor[data-state=signed-out]");
  });

  scene("Session Management §3.1 the script of rp says that the session changed", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await signIn(page, hush, "web");
    await page.evaluate(async () => {
      const { watchSession } = await import(/** @type {string} */ ("/web/monitor.js"));
      /** @type {(said: string) => () => string} */
      const note = (said) => () => (document.body.dataset.watch = said);
      await watchSession("/web/monitor", { changed: note("changed"), failed: note("failed"), every: 100 });
    });
    await new Promise((resolve) => setTimeout(resolve, 500)); // several questions
    assert.equal(
      await page.$eval("body", (body) => body.dataset.watch),
      undefined,
      "an unchanged session is not reported",
    );
    const other = await newTab();
    await signOutAtProvider(other.page, hush);
    await page.bringToFront();
    await page.waitForSelector("body[data-watch=changed]");
    await page.click("#renew");
    await page.waitForSelector("#message[data-error=login_required]");
  });
});

scenes("the page about tokens, where the iframe gets no cookie", { layout: crossSite, cookies: "blocked" }, (scene) => {
  scene(
    "the refresh token of the sign-in renews, and the iframe says why it cannot",
    async ({ hush, newTab, browser }) => {
      const { page } = await newTab();
      await page.goto(`${hush.app}/tokens/`);
      await page.waitForSelector("body[data-ready=true]");
      const opened = browser.waitForTarget((target) => target.url().startsWith(`${hush.issuer}/login`));
      await page.click("#sign-in");
      const popup = await (await opened).page();
      if (popup) await clickLogin(popup, "alice");
      await page.waitForSelector("#sign-in:not([disabled])");
      const [, first] = /brought refresh token (\S+)\.$/.exec(await text(page, "#refresh-way-said")) ?? [];
      assert.ok(first, "the sign-in brought a refresh token");

      await page.click("#renew-both");
      await page.waitForSelector("#message[data-code=cookie_withheld]");
      assert.match(await text(page, "#iframe-way-said"), /^Failed: cookie\./);
      const said = await text(page, "#refresh-way-said");
      assert.match(said, /by POST \/token alone/);
      assert.ok(said.includes(`${first} is spent`), said);
    },
  );

  scene("signed in elsewhere: a window that closes by itself brings the tokens", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await open(page, hush);
    await page.click("#renew-both");
    await page.waitForSelector("#message[data-code=cookie_withheld]");
    assert.match(await text(page, "#refresh-way-said"), /by POST \/token alone.* is spent/);
    assert.match(await press(page, "bind", "dpop"), /answers 200\. .* 401\.$/);
    assert.match(await press(page, "revoke", "revoke"), /answered 200 .* after POST \/revoke 401/);
  });
});
