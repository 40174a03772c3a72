// The ladder of renewals in each browser and cookie policy that e2e/ladder.test.js does not have: what its table says there, and that
// each step does what the table says. docs/blocked-cookies.md has these results. e2e/webkit.test.js has WebKitGTK.

import assert from "node:assert/strict";
import { clickInFrame } from "./harness/access.js";
import { crossSite } from "./harness/hush.js";
import { climbs, recommends, reload, table } from "./harness/ladder.js";
import { claims, renew, renewInVain, says, signedIn, signIn } from "./harness/person.js";
import { scenes, story } from "./harness/story.js";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("./harness/story.js").Stage} Stage */

const allowed = /** @type {const} */ ({ layout: crossSite, cookies: "allowed" });
const firefox = /** @type {const} */ ({ layout: crossSite, browser: "firefox" });

scenes("the ladder", allowed, (scene) => {
  scene("the hidden iframe alone renews, and the table says so", async (stage) => {
    const page = await ready(stage);
    await renew(page);
    assert.deepEqual(await table(page), ["yes", "yes", "yes", "yes", "unknown"]);
  });

  scene("to ask needs no click in the provider's page", async (stage) => {
    await climbs(await ready(stage), "#ladder-ask");
  });

  refreshTokenAndRedirect(scene);
});

// A browser of its own, because the permission of a sign-in by FedCM stays.
story("FedCM signs in without a dialog, and the hidden iframe renews", allowed, async (stage) => {
  const page = await ready(stage);
  await page.click("#ladder-fedcm");
  await says(page, "renewed");
  await renew(page);
});

scenes("the ladder", { ...firefox, cookies: "granted" }, (scene) => {
  scene("after a sign-in by redirect the hidden iframe alone renews, and the table says so", async (stage) => {
    const page = await ready(stage);
    await renew(page);
    assert.deepEqual(await table(page), ["yes", "no", "yes", "yes", "unknown"]);
  });
});

scenes("the ladder", { ...firefox, cookies: "blocked" }, (scene) => {
  scene("no FedCM: to ask is next, and after one click the hidden iframe renews, across reloads", async (stage) => {
    const page = await ready(stage);
    const { words } = await renewInVain(page);
    assert.match(words, /cookie\.access_denied/);
    assert.match(await recommends(page, "ask"), /no FedCM/);
    assert.deepEqual(await table(page), ["no", "no", "click", "yes", "unknown"]);
    await page.click("#ladder-ask");
    const frame = await (await page.waitForSelector("#ladder-frame iframe"))?.contentFrame();
    await clickInFrame(frame, "#storage-ask:not([disabled])");
    await page.waitForSelector("#message[data-code=renewed]");
    await reload(page);
    await renew(page);
  });

  refreshTokenAndRedirect(scene);
});

/** @param {(sentence: string, tell: (stage: Stage) => Promise<void>) => void} scene */
function refreshTokenAndRedirect(scene) {
  scene("a refresh token renews", async (stage) => {
    await climbs(await ready(stage), "#ladder-refresh_token", "renewed_by_token");
  });

  scene("a redirect of the whole page comes back with new tokens", async (stage) => {
    const page = await ready(stage);
    const { jti } = await claims(page, "access-token");
    await page.click("#ladder-redirect");
    assert.match(await recommends(page, "redirect"), /came back with new tokens/);
    await signedIn(page);
    assert.notEqual((await claims(page, "access-token")).jti, jti);
  });
}

/** The single-page app with alice signed in. @param {Stage} stage */
async function ready({ hush, newTab }) {
  const { page } = await newTab();
  await signIn(page, hush, "spa");
  return page;
}
