// The page behind check_session_iframe, asked as an application asks it: by postMessage (Session Management §3.2).

import assert from "node:assert/strict";
import { setStorageAccess } from "./harness/access.js";
import { crossSite, sameSite, subdomains } from "./harness/hush.js";
import { openApp, signIn, signOutAtProvider } from "./harness/person.js";
import { askSilently } from "./harness/request.js";
import { scenes, story } from "./harness/story.js";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("puppeteer-core").Frame} Frame */
/** @typedef {import("./harness/hush.js").Hush} Hush */

/** How long a page that does not answer is listened to, in milliseconds. */
const silence = 1000;

/** The session_state that a silent request of the page is answered with. @param {Page} page @param {Hush} hush */
async function sessionState(page, hush) {
  return (await askSilently(page, hush, {})).get("session_state") ?? "";
}

/**
 * Loads the check_session_iframe into the page, and waits until its script runs.
 * @param {Page} page
 * @param {Hush} hush
 */
function watch(page, hush) {
  return page.evaluate(
    (src) =>
      new Promise((loaded) => {
        const frame = Object.assign(document.createElement("iframe"), { src, name: "op" });
        frame.addEventListener("load", () => loaded(undefined), { once: true });
        document.body.append(frame);
      }),
    `${hush.issuer}/check_session`,
  );
}

/**
 * Sends the message to the check_session_iframe of a window, and returns what it answers to the sender: "silence" if nothing.
 * @param {Page | Frame} sender the page, or a frame in it
 * @param {Hush} hush
 * @param {unknown} message
 * @param {"top" | "app"} around the window with the iframe, by its name in the sender
 * @returns {Promise<unknown>}
 */
function ask(sender, hush, message, around = "top") {
  return sender.evaluate(
    (origin, message, around, silence) =>
      new Promise((resolve) => {
        const op = Reflect.get(Reflect.get(window, around), "op");
        window.addEventListener("message", (answer) => answer.source === op && resolve(answer.data));
        setTimeout(() => resolve("silence"), silence);
        op.postMessage(message, origin);
      }),
    hush.issuer,
    message,
    around,
    silence,
  );
}

for (const layout of [sameSite, crossSite]) {
  scenes("the check_session_iframe", { layout, cookies: "allowed" }, (scene) => {
    scene("Session Management §3.2 unchanged while nothing changes, also after a renewal", async ({ hush, newTab }) => {
      const { page } = await newTab();
      await signIn(page, hush, "spa");
      const state = await sessionState(page, hush);
      await watch(page, hush);
      assert.equal(await ask(page, hush, `spa ${state}`), "unchanged");
      const renewed = await sessionState(page, hush);
      assert.notEqual(renewed, state, "each has a salt of its own");
      assert.equal(await ask(page, hush, `spa ${state}`), "unchanged");
      assert.equal(await ask(page, hush, `spa ${renewed}`), "unchanged");
      assert.equal(await ask(page, hush, `web ${state}`), "changed", "the session_state is one client's");
    });

    scene("Session Management §3.2 changed after a sign-out in another tab", async ({ hush, newTab }) => {
      const { page } = await newTab();
      await signIn(page, hush, "spa");
      const state = await sessionState(page, hush);
      await watch(page, hush);
      assert.equal(await ask(page, hush, `spa ${state}`), "unchanged");
      const other = await newTab();
      await signOutAtProvider(other.page, hush);
      await page.bringToFront();
      assert.equal(await ask(page, hush, `spa ${state}`), "changed");
      assert.equal(await ask(page, hush, `spa ${await sessionState(page, hush)}`), "unchanged", "nobody is signed in");
    });

    scene("Session Management §3.2 changed after a sign-in", async ({ hush, newTab }) => {
      const { page } = await newTab();
      await openApp(page, hush, "spa");
      const nobody = await sessionState(page, hush);
      await watch(page, hush);
      assert.equal(await ask(page, hush, `spa ${nobody}`), "unchanged");
      const other = await newTab();
      await signIn(other.page, hush, "spa");
      await page.bringToFront();
      assert.equal(await ask(page, hush, `spa ${nobody}`), "changed");
    });

    scene("Session Management §3.2 a malformed message is an error", async ({ hush, newTab }) => {
      const { page } = await newTab();
      await signIn(page, hush, "spa");
      const state = await sessionState(page, hush);
      await watch(page, hush);
      const [hash] = state.split(".");
      for (const message of [
        "",
        "spa",
        `spa${state}`,
        ` ${state}`,
        `spa ${hash}`,
        `spa ${hash}.`,
        `spa ${state} `,
        `spä ${state}`,
        "spa x.y",
        null,
        7,
        { state },
      ]) {
        assert.equal(await ask(page, hush, message), "error", JSON.stringify(message));
      }
      assert.equal(await ask(page, hush, `spa ${"A".repeat(43)}.salt`), "changed", "well-formed, but nobody's");
    });

    scene("Session Management §3.1 another iframe of the application may ask", async ({ hush, newTab }) => {
      const { page } = await newTab();
      await signIn(page, hush, "spa");
      const state = await sessionState(page, hush);
      await watch(page, hush);
      await page.evaluate(() =>
        document.body.append(Object.assign(document.createElement("iframe"), { name: "another" })),
      );
      const frame = page.frames().find((frame) => frame.name() === "another");
      assert.ok(frame);
      assert.equal(await ask(frame, hush, `spa ${state}`), "unchanged");
    });

    scene("Session Management §3.2 the caller MUST have the origin of the parent frame", async ({ hush, newTab }) => {
      const { page } = await newTab();
      await signIn(page, hush, "spa");
      const state = await sessionState(page, hush);
      await watch(page, hush);
      const foreign = await newTab();
      await foreign.page.goto(`${hush.at(subdomains).app}/healthz`); // another origin, which opens the application
      const opening = new Promise((resolve) => foreign.page.once("popup", resolve));
      await foreign.page.evaluate((app) => Object.assign(window, { app: window.open(app) }), `${hush.app}/spa/`);
      const app = /** @type {Page} */ (await opening);
      await app.waitForSelector("body[data-ready=true]");
      await watch(app, hush);
      assert.equal(await ask(app, hush, `spa ${state}`), "unchanged");
      assert.equal(await ask(foreign.page, hush, `spa ${state}`, "app"), "silence");
      await app.close();
    });
  });
}

story(
  "Session Management §5.1 where the browser withholds cookies the answer is an error, signed in or not",
  { layout: crossSite, cookies: "blocked" },
  async ({ hush, newTab }) => {
    const { page } = await newTab();
    await signIn(page, hush, "spa");
    const state = await sessionState(page, hush);
    await watch(page, hush);
    assert.equal(await ask(page, hush, `spa ${state}`), "error", "changed would make the application renew for ever");
  },
);

story(
  "Storage Access Headers, load: with the user's permission the page reads its cookies where third-party cookies are blocked",
  { layout: crossSite, cookies: "blocked" },
  async ({ hush, browser, newTab }) => {
    const { page } = await newTab();
    await setStorageAccess(browser, hush, "granted");
    await signIn(page, hush, "spa");
    const state = await sessionState(page, hush);
    const loading = page.waitForResponse((response) => response.url() === `${hush.issuer}/check_session`);
    await watch(page, hush);
    assert.equal((await loading).headers()["activate-storage-access"], "load");
    assert.equal(await ask(page, hush, `spa ${state}`), "unchanged");
    const other = await newTab();
    await signOutAtProvider(other.page, hush);
    await page.bringToFront();
    assert.equal(await ask(page, hush, `spa ${state}`), "changed");
  },
);
