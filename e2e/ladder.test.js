// The ladder of renewals in the demo, where app and provider are two sites and the browser blocks third-party cookies.

import assert from "node:assert/strict";
import { clickInFrame, setStorageAccess } from "./harness/access.js";
import { Dialogs } from "./harness/fedcm.js";
import { crossSite } from "./harness/hush.js";
import { climbs, recommends, reload, table } from "./harness/ladder.js";
import {
  claims,
  clickLogin,
  openApp,
  renew,
  says,
  signedIn,
  signIn,
  signOutAtProvider,
  text,
} from "./harness/person.js";
import { scenes, story } from "./harness/story.js";

scenes("the ladder", { layout: crossSite, cookies: "blocked" }, (scene) => {
  scene("FedCM: ten renewals in a row by hidden iframe after one sign-in, across reloads", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await signIn(page, hush, "spa");
    const dialogs = await Dialogs.of(page);
    await page.click("#renew");
    assert.match(await recommends(page, "fedcm"), /cookie\.access_denied/);
    await page.click("#ladder-fedcm");
    await dialogs.choose("alice");
    await page.waitForSelector("#message[data-code=renewed]");
    for (let renewals = 0; renewals < 10; renewals++) {
      if (renewals % 4 === 3) await reload(page);
      await page.click("#renew");
      await says(page, "renewed");
    }
    assert.match(await recommends(page, "iframe"), /came with the hidden iframe/);
    assert.deepEqual(await table(page), ["no", "yes", "click", "yes", "unknown"]);
  });

  scene(
    "access allowed: renewals by hidden iframe, until the user takes it back",
    async ({ hush, newTab, browser }) => {
      const { page } = await newTab();
      await setStorageAccess(browser, hush, "granted");
      await signIn(page, hush, "spa");
      await climbs(page, "#ladder-ask");
      await reload(page);
      assert.deepEqual((await table(page))[2], "yes");
      await setStorageAccess(browser, hush, "denied");
      await page.click("#renew");
      await page.waitForSelector("#message[data-code=cookie_withheld]");
      await recommends(page, "fedcm");
      await climbs(page, "#ladder-refresh_token", "renewed_by_token");
    },
  );

  scene("signed out while access is allowed: the reason is the sign-out", async ({ hush, newTab, browser }) => {
    const { page } = await newTab();
    await setStorageAccess(browser, hush, "granted");
    await signIn(page, hush, "spa");
    const other = await newTab();
    await signOutAtProvider(other.page, hush);
    await page.bringToFront();
    await page.click("#ladder-ask");
    await page.waitForSelector("#message[data-error=login_required]");
    assert.match(await text(page, "#message"), /session\./);
    await page.click("#sign-in");
    await clickLogin(page, "alice");
    await signedIn(page);
    await renew(page);
  });

  scene("a refresh token renews without a cookie", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await signIn(page, hush, "spa");
    await climbs(page, "#ladder-refresh_token", "renewed_by_token");
    assert.match(await recommends(page, "refresh_token"), /has a refresh token/);
  });

  scene("a redirect of the whole page comes back to the same page with new tokens", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await signIn(page, hush, "spa");
    const { jti } = await claims(page, "access-token");
    await page.goto(`${hush.app}/spa/?from=here#there`);
    await signedIn(page);
    await Promise.all([page.waitForNavigation(), page.click("#ladder-redirect")]);
    await page.waitForFunction(() => location.href.endsWith("/spa/?from=here#there"));
    await signedIn(page);
    assert.match(await recommends(page, "redirect"), /came back with new tokens/);
    assert.notEqual((await claims(page, "access-token")).jti, jti);
  });

  scene(
    "signed out: the redirect comes back with the provider's answer, and a sign-in is next",
    async ({ hush, newTab }) => {
      const { page } = await newTab();
      await signIn(page, hush, "spa");
      const other = await newTab();
      await signOutAtProvider(other.page, hush);
      await page.bringToFront();
      await page.click("#ladder-redirect");
      assert.match(await recommends(page, "sign_in"), /answered the redirect with login_required/);
      await page.waitForSelector("body[data-ready=true]");
      await page.click("#sign-in");
      await clickLogin(page, "alice");
      await signedIn(page);
    },
  );

  scene(
    "the browser refuses access: the page says so and recommends the next step",
    async ({ hush, newTab, browser }) => {
      const { page } = await newTab();
      await setStorageAccess(browser, hush, "denied");
      await signIn(page, hush, "spa");
      assert.equal((await table(page))[2], "click");
      await page.click("#ladder-ask");
      const frame = await (await page.waitForSelector("#ladder-frame iframe"))?.contentFrame();
      await clickInFrame(frame, "#storage-ask:not([disabled])");
      await page.waitForSelector("#message[data-code=ask_refused]");
      assert.match(await text(page, "#message"), /denied/);
      assert.match(await recommends(page, "fedcm"), /no cookie/);
      await climbs(page, "#ladder-refresh_token", "renewed_by_token");
    },
  );

  scene("the server-side app renews by a redirect of the whole page", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await signIn(page, hush, "web");
    const { jti } = await claims(page, "access-token");
    await page.click("#renew");
    await page.waitForSelector("#blocked:not([hidden]) #renew-page");
    await Promise.all([page.waitForNavigation(), page.click("#renew-page")]);
    await signedIn(page);
    assert.equal(new URL(page.url()).pathname, "/web/");
    assert.notEqual((await claims(page, "access-token")).jti, jti);
  });

  scene("no card where app and provider are one site", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await openApp(page, { ...hush, app: hush.app.replace("app.localhost", "localhost") }, "spa");
    assert.equal(await page.$eval("#ladder", (card) => card instanceof HTMLElement && card.hidden), true);
  });
});

// A browser of its own: after a sign-in by FedCM in it, Chromium shows no dialog for the next one.
story(
  "FedCM dismissed: the page says so, and recommends to ask the browser, which works",
  { layout: crossSite, cookies: "blocked" },
  async ({ hush, newTab, browser }) => {
    const { page } = await newTab();
    await setStorageAccess(browser, hush, "granted"); // as the person answers in the end
    await signIn(page, hush, "spa");
    const dialogs = await Dialogs.of(page);
    await page.click("#ladder-fedcm");
    await dialogs.dismiss();
    await page.waitForSelector("#message[data-code=fedcm_refused]");
    assert.match(await recommends(page, "ask"), /fedcm was answered with/);
    await climbs(page, "#ladder-ask");
  },
);
