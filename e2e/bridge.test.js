// A hidden iframe of another site, from which the browser keeps the provider's cookie: what the provider asks the browser, what each
// browser answers, and that the app then has tokens or a true reason. docs/blocked-cookies.md has these results as a table.

import assert from "node:assert/strict";
import { setStorageAccess } from "./harness/access.js";
import { Console, codesOf, recordsAt } from "./harness/console.js";
import { crossSite } from "./harness/hush.js";
import { halves, openApp, renew, renewInVain, signIn, signOutAtProvider } from "./harness/person.js";
import { authorizeURL } from "./harness/request.js";
import { startSite } from "./harness/site.js";
import { scenes } from "./harness/story.js";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("./harness/hush.js").Hush} Hush */
/** @typedef {import("../static/shared/diagram.js").Flow} Flow */

const blocked = /** @type {const} */ ({ layout: crossSite, cookies: "blocked" });

/** By half: what the browser is told when the user gave access. The server's redirect to the provider takes the Origin away. */
const asks = /** @type {const} */ ({ spa: "retry", web: "bridge" });

scenes("storage access", blocked, (scene) => {
  for (const half of halves) {
    scene(`${half}: given by the user, the renewals go on, also after a reload`, async ({ hush, browser, newTab }) => {
      const { page } = await newTab();
      const console = new Console(hush);
      await setStorageAccess(browser, hush, "granted");
      await signIn(page, hush, half);
      for (const reload of [false, true]) {
        if (reload) await Promise.all([page.waitForNavigation(), page.reload()]);
        await page.waitForSelector("body[data-ready=true]");
        await console.reset();
        await renew(page);
        const flow = await console.flow(({ silent, state }) => silent && state === "done", "a renewal");
        assert.deepEqual(requestsOf(flow), [`inactive ${asks[half]}`, "active"]);
        assert.deepEqual(codesOf(flow), []);
      }
    });

    scene(`${half}: never given, the app is told so at once`, async ({ hush, browser, newTab, note }) => {
      const { page } = await newTab();
      await setStorageAccess(browser, hush, "prompt");
      await signIn(page, hush, half);
      assert.deepEqual(requestsOf(await fails(page, hush, "cookie.access_denied", note)), ["none bridge", "none"]);
    });

    scene(`${half}: denied by the user, the app is told so at once`, async ({ hush, browser, newTab, note }) => {
      const { page } = await newTab();
      await setStorageAccess(browser, hush, "denied");
      await signIn(page, hush, half);
      assert.deepEqual(requestsOf(await fails(page, hush, "cookie.access_denied", note)), ["none bridge", "none"]);
    });

    scene(`${half}: given, and the user signed out`, async ({ hush, browser, newTab, note }) => {
      const { page } = await newTab();
      await setStorageAccess(browser, hush, "granted");
      await signIn(page, hush, half);
      const idp = await newTab();
      await signOutAtProvider(idp.page, hush);
      await page.bringToFront();
      assert.deepEqual(requestsOf(await fails(page, hush, "session.none", note)), [`inactive ${asks[half]}`, "active"]);
    });

    scene(`${half}: given and taken back`, async ({ hush, browser, newTab, note }) => {
      const { page } = await newTab();
      await setStorageAccess(browser, hush, "granted");
      await signIn(page, hush, half);
      await renew(page);
      await setStorageAccess(browser, hush, "denied");
      await fails(page, hush, "cookie.access_denied", note);
    });
  }

  scene("attack: a foreign page cannot show the page that asks", async ({ hush, newTab }) => {
    const foreign = await startSite({ "/": "<!doctype html><body></body>" }, { host: "evil.localhost" });
    try {
      const { page } = await newTab();
      await page.goto(foreign.origin);
      await page.evaluate(
        (src) => {
          const frame = Object.assign(document.createElement("iframe"), { src, referrerPolicy: "no-referrer" });
          return new Promise((resolve) => {
            frame.addEventListener("load", resolve, { once: true });
            document.body.append(frame);
          });
        },
        authorizeURL(hush, {}),
      );
      await page.waitForFrame((frame) => frame.url() === "chrome-error://chromewebdata/"); // after the load event
      const flow = await new Console(hush).flow(({ begins }) => begins === "authorize", "the request of the frame");
      assert.deepEqual(requestsOf(flow), ["none bridge"], "no request after it");
    } finally {
      await foreign.stop();
    }
  });

  scene("an app in a sandbox without storage access is told so at once", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await openApp(page, hush, "spa");
    await page.evaluate(
      (src) => {
        const frame = document.createElement("iframe");
        frame.setAttribute("sandbox", "allow-scripts allow-same-origin");
        frame.src = src;
        document.body.append(frame);
      },
      authorizeURL(hush, {}),
    );
    const flow = await new Console(hush).flowWith("cookie.access_denied");
    assert.deepEqual(
      recordsAt(flow, "authorize").map(({ status }) => status),
      [200, 303],
    );
  });
});

scenes("storage access", { layout: crossSite, cookies: "allowed" }, (scene) => {
  scene("where cookies are let through nothing is asked", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await signIn(page, hush, "spa");
    await renew(page);
    const flow = await new Console(hush).flow(({ silent, state }) => silent && state === "done", "a renewal");
    assert.deepEqual(requestsOf(flow), ["active"]);
  });
});

/** What the browser said of storage access with each request to /authorize, and how the answer asked for it. @param {Flow} flow */
function requestsOf(flow) {
  return recordsAt(flow, "authorize").map(({ fetch, asks = "" }) => `${fetch.storage_access ?? "-"} ${asks}`.trim());
}

/**
 * Renews in vain. Returns the flow, which has this reason alone.
 * @param {Page} page
 * @param {Hush} hush
 * @param {string} reason
 * @param {(line: string) => void} note
 */
async function fails(page, hush, reason, note) {
  const console = new Console(hush);
  await console.reset();
  const start = performance.now();
  const { error, words } = await renewInVain(page);
  assert.equal(
    error,
    "login_required",
    `the provider's answer ended the wait, not the client's timer of 10 seconds: ${words}`,
  );
  assert.ok(words.includes(reason), `the app names ${reason}: ${words}`);
  note(`the app named ${reason} after ${Math.round(performance.now() - start)} ms`);
  const flow = await console.flowWith(reason);
  assert.deepEqual(codesOf(flow), [reason]);
  return flow;
}
