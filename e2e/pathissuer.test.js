// An issuer with a path: http://localhost:8080/realms/demo. HUSH_E2E_PATH=/realms/demo runs the other tests at one.

import assert from "node:assert/strict";
import { Console } from "./harness/console.js";
import { Dialogs, signInByFedCM } from "./harness/fedcm.js";
import { crossSite, sameSite } from "./harness/hush.js";
import { clickLogin, halves, openApp, renew, renewInVain, signedOut, signIn, signOut } from "./harness/person.js";
import { redeem } from "./harness/request.js";
import { scenes } from "./harness/story.js";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("./harness/hush.js").Hush} Hush */
/** @typedef {import("./harness/story.js").Stage} Stage */

const path = "/realms/demo";

scenes(`the issuer has the path ${path}`, { layout: { ...sameSite, path }, cookies: "blocked" }, (scene) => {
  for (const half of halves) {
    scene(`${half}: a person signs in, the app renews silently, and a sign-out ends it`, (stage) =>
      visits(stage, half),
    );
  }

  scene("the cookies of the provider have its path", async ({ hush, browser, newTab }) => {
    const { page } = await newTab();
    await signIn(page, hush, "spa");
    const cookies = (await browser.cookies()).filter(({ name }) => name.startsWith("hush-"));
    assert.ok(cookies.length >= 4, `${cookies.length} cookies`); // the session and its state, each twice over http
    for (const cookie of cookies) assert.equal(cookie.path, path, cookie.name);
  });

  scene("the console shows the renewal as it happens, and the demo measures the cookie", async ({ hush, newTab }) => {
    const app = await newTab();
    await signIn(app.page, hush, "spa");
    await app.page.waitForSelector("#layout-measured[data-measured=session]");
    const watching = await newTab();
    const strayed = strayRequests(watching.page, hush);
    await watching.page.goto(`${hush.issuer}/console`);
    await watching.page.waitForSelector("#console[data-ready=true]");
    await app.page.bringToFront();
    await renew(app.page);
    await watching.page.bringToFront();
    const flow = await new Console(hush).flow(({ silent, state }) => silent && state === "done", "a renewal");
    await watching.page.waitForSelector(`ol.diagram[data-flow="${flow.id}"]`);
    await watching.page.click(`nav a[href="${path}/reasons/"]`);
    await watching.page.waitForSelector("#reason-session\\.none");
    assert.deepEqual(strayed, [], "each request to the provider is below the issuer");
  });
});

const two = /** @type {const} */ ({ layout: { ...crossSite, path }, cookies: "blocked" });

scenes(`the issuer has the path ${path} and another site than the app`, two, (scene) => {
  scene("FedCM signs in: the browser finds the configuration by the root of the host", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await page.goto(`${hush.issuer}/login`);
    await Promise.all([page.waitForNavigation(), clickLogin(page, "alice")]);
    await page.goto(`${hush.app}/spa/`);
    const dialogs = await Dialogs.of(page);
    const answer = signInByFedCM(page, hush);
    await dialogs.choose("alice");
    const { status, json } = await redeem(page, hush, { code: (await answer).token });
    assert.equal(status, 200, JSON.stringify(json));
  });
});

/** @param {Stage} stage @param {import("./harness/person.js").Half} half */
async function visits({ hush, newTab }, half) {
  const { page } = await newTab();
  const strayed = strayRequests(page, hush);
  await signIn(page, hush, half);
  await renew(page);
  await signOut(page);
  await signedOut(page);
  assert.deepEqual(strayed, [], "each request to the provider is below the issuer");
  await openApp(page, hush, half);
  assert.equal((await renewInVain(page)).error, "login_required");
}

/** The requests of the page to the provider's host that are not below the issuer, as they come. @param {Page} page @param {Hush} hush */
function strayRequests(page, hush) {
  const strayed = /** @type {string[]} */ ([]);
  const { origin } = new URL(hush.issuer);
  page.on("request", (request) => {
    const isBelow = request.url().startsWith(`${hush.issuer}/`) || request.url() === hush.issuer;
    if (request.url().startsWith(`${origin}/`) && !isBelow) strayed.push(request.url());
  });
  return strayed;
}
