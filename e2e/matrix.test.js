// "The cookie did not come" and "nobody is signed in" reach the provider as the same request, but for what the browser
// says about it. In each browser, each layout and each cookie policy the provider must name the right one.

import assert from "node:assert/strict";
import { Console, codesOf } from "./harness/console.js";
import { crossSite, layouts, sameSite } from "./harness/hush.js";
import { settled, signIn, signOutAtProvider } from "./harness/person.js";
import { scenes } from "./harness/story.js";

/** @typedef {import("./harness/browser.js").BrowserName} BrowserName */
/** @typedef {import("./harness/browser.js").ThirdPartyCookies} ThirdPartyCookies */
/** @typedef {import("./harness/hush.js").Hush} Hush */
/** @typedef {import("puppeteer-core").Page} Page */

/** What a renewal must come to: tokens (no reason), or this reason. @typedef {"" | "session.none" | "cookie.access_denied"} Result */

/** Where the provider's cookie reaches the iframe, and its absence means that nobody is signed in. */
const open = /** @type {const} */ (["", "session.none"]);
/** Where it does not, the provider asks the browser for it in vain, and its absence means nothing. */
const shut = /** @type {const} */ (["cookie.access_denied", "cookie.access_denied"]);

/**
 * In one site every policy lets the cookie pass. Across sites: the results for somebody signed in, and signed out.
 * @type {{ browser: BrowserName, cookies: ThirdPartyCookies, across: readonly [Result, Result] }[]}
 */
const matrix = [
  { browser: "chromium", cookies: "allowed", across: open },
  { browser: "chromium", cookies: "blocked", across: shut },
  { browser: "firefox", cookies: "blocked", across: shut },
  { browser: "firefox", cookies: "refused", across: shut },
  { browser: "firefox", cookies: "granted", across: open },
  // Here Firefox says nothing about storage access, as where it refuses: the mark that a sign-in leaves tells them apart.
  { browser: "firefox", cookies: "allowed", across: open },
];

for (const { browser, cookies, across } of matrix) {
  scenes("the reason for a silent renewal", { layout: sameSite, cookies, browser }, (scene) => {
    for (const layout of layouts) {
      const [signedIn, signedOut] = layout === crossSite ? across : open;
      const sentence = `${layout.name}: signed in ${signedIn || "tokens"}, signed out ${signedOut}`;
      scene(sentence, async ({ hush: programs, newTab, note }) => {
        const hush = programs.at(layout);
        const app = await newTab();
        await signIn(app.page, hush, "spa");
        await attempt(app.page, hush, signedIn, note);

        const idp = await newTab();
        await signOutAtProvider(idp.page, hush);
        await app.page.bringToFront();
        await attempt(app.page, hush, signedOut, note);
      });
    }
  });
}

/**
 * Renews once, and compares what the provider's console says with what the app says.
 * @param {Page} page
 * @param {Hush} hush
 * @param {Result} expected
 * @param {(line: string) => void} note
 */
async function attempt(page, hush, expected, note) {
  const console = new Console(hush);
  await console.reset();
  const { code, error, words, took } = await renewal(page);
  const flow = await console.flow(({ silent, state }) => silent && state !== "open", "the renewal");
  assert.deepEqual(codesOf(flow), expected ? [expected] : [], `${code}: ${words}`);
  assert.equal(flow.state, expected ? "failed" : "done");
  if (!expected) return assert.equal(code, "renewed", words);
  assert.equal(error, "login_required", "the provider's answer ended the wait, not the client's timer of 10 seconds");
  assert.ok(words.includes(expected), `the app names the reason: ${words}`);
  note(`the app named ${expected} after ${took} ms`);
}

/**
 * Presses the renew button, and measures by the page's own clock how long it takes until the result stands there.
 * @param {Page} page
 */
async function renewal(page) {
  await page.evaluate(watch);
  await page.click("#renew");
  const said = await settled(page);
  const { pressedAt, saidAt } = await page.$eval("body", ({ dataset }) => ({ ...dataset }));
  return { ...said, took: Math.round(Number(saidAt) - Number(pressedAt)) };
}

/** Notes on the body when the button is pressed and when the message comes; runs in the page. */
function watch() {
  const { dataset } = document.body;
  const message = document.querySelector("#message");
  document.querySelector("#renew")?.addEventListener("click", pressed, { capture: true, once: true });

  function pressed() {
    dataset.pressedAt = String(performance.now());
    const observer = new MutationObserver(() => {
      if (!message?.getAttribute("data-code")) return; // the last message is taken away first
      dataset.saidAt = String(performance.now());
      observer.disconnect();
    });
    if (message) observer.observe(message, { attributes: true, attributeFilter: ["data-code"] });
  }
}
