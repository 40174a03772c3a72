// Signing in and out: by redirect, by popup, at both halves of the demo, and without JavaScript.

import assert from "node:assert/strict";
import { crossSite, sameSite } from "./harness/hush.js";
import {
  claims,
  clickLogin,
  halves,
  openApp,
  renewInVain,
  says,
  signedIn,
  signedOut,
  signIn,
  signOut,
  text,
  typeLogin,
} from "./harness/person.js";
import { scenes, story } from "./harness/story.js";

/** @typedef {import("puppeteer-core").Page} Page */

/** Signing in needs no third-party cookie, so it must work in the strictest setting of each layout. */
const strictest = /** @type {const} */ ({ layout: crossSite, cookies: "blocked" });
const places = /** @type {const} */ ([{ layout: sameSite, cookies: "blocked" }, strictest]);

for (const place of places) {
  scenes("signing in", place, (scene) => {
    for (const half of halves) {
      scene(`${half}: a person signs in by redirect with name and password`, async ({ hush, newTab }) => {
        const { page } = await newTab();
        await openApp(page, hush, half);
        await page.click("#sign-in");
        await typeLogin(page, "alice");
        await signedIn(page);
        assert.equal(page.url(), `${hush.app}/${half}/`);
        const { iss, sub } = await claims(page, "id-token");
        assert.equal(iss, hush.issuer);
        assert.equal(await text(page, "#user-sub"), sub);
        await page.click("#call-api");
        await says(page, "api_ok");
        assert.equal(JSON.parse(await text(page, "#api-result")).hello, sub);
      });

      scene(`${half}: a person signs in with one click`, async ({ hush, newTab }) => {
        const { page } = await newTab();
        await signIn(page, hush, half, "bob");
        assert.match(await text(page, "#user-name"), /^Robert/);
      });

      scene(`${half}: signing out ends the session at the provider too`, async ({ hush, newTab }) => {
        const first = await newTab();
        await signIn(first.page, hush, half);
        const second = await newTab();
        await openApp(second.page, hush, "spa");
        await second.page.click("#sign-in"); // signed in there already: no page is shown
        await signedIn(second.page);

        await first.page.bringToFront();
        await signOut(first.page);
        await signedOut(first.page);
        assert.equal(new URL(first.page.url()).pathname, `/${half}/`);

        await second.page.bringToFront();
        assert.equal((await renewInVain(second.page)).error, "login_required");
      });
    }

    scene("spa: a person signs in in a popup, which closes itself", signInByPopup);

    scene("spa: a popup that the person closes is told in words", async ({ hush, newTab }) => {
      const { page } = await newTab();
      await openApp(page, hush, "spa");
      const popup = await openPopup(page);
      await popup.waitForSelector("#username");
      await popup.close();
      const { words } = await says(page, "popup_closed");
      assert.match(words, /closed before it finished/);
    });

    scene("a wrong password is told in words and the form can be sent again", async ({ hush, newTab }) => {
      const { page } = await newTab();
      await openApp(page, hush, "spa");
      await page.click("#sign-in");
      await typeLogin(page, "alice", "wrong");
      await page.waitForSelector("[role=alert]");
      await typeLogin(page, "alice");
      await signedIn(page);
    });

    scene("the provider's pages work without JavaScript", async ({ hush, newTab }) => {
      const { page } = await newTab();
      await page.setJavaScriptEnabled(false);
      await page.goto(`${hush.app}/web/login`);
      await page.type("#username", "alice");
      await page.type("#password", "alice");
      await Promise.all([page.waitForNavigation(), page.click("#login-submit")]);
      assert.equal(page.url(), `${hush.app}/web/`);
      await page.goto(hush.issuer);
      assert.match(await text(page, "main"), /Alice/);
      await page.goto(`${hush.issuer}/logout`);
      await Promise.all([page.waitForNavigation(), page.click("#logout-confirm")]);
      await page.goto(`${hush.app}/web/login`);
      assert.ok(await page.$("#username"), "after signing out the login form is shown again");
    });
  });
}

story("spa: a person signs in in a popup, which closes itself", { ...strictest, browser: "firefox" }, signInByPopup);

/** @param {import("./harness/story.js").Stage} stage */
async function signInByPopup({ hush, newTab }) {
  const { page } = await newTab();
  await openApp(page, hush, "spa");
  const popup = await openPopup(page);
  const closed = new Promise((resolve) => popup.once("close", resolve));
  await clickLogin(popup, "carol");
  await signedIn(page);
  await closed;
  assert.match(await text(page, "#user-name"), /^Carol/);
}

/** Presses the popup button and returns the window that opens. @param {Page} page @returns {Promise<Page>} */
async function openPopup(page) {
  const opened = new Promise((resolve) => page.once("popup", resolve));
  await page.click("#sign-in-popup");
  return /** @type {Promise<Page>} */ (opened);
}
