// `make screenshots`: every page of the provider and the demo at two widths, light and dark, into the folder given as
// the argument, or into a new one. `make images` also writes the README's pictures.

import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { root } from "../scripts/program.js";
import { openChromium } from "./harness/browser.js";
import { demoClients, thirdParty } from "./harness/clients.js";
import { Console } from "./harness/console.js";
import { crossSite, sameSite, startHushAsInTheDemo } from "./harness/hush.js";
import {
  clickLogin,
  openApp,
  renew,
  renewInVain,
  signedIn,
  signIn,
  signOutAtProvider,
  typeLogin,
} from "./harness/person.js";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("./harness/hush.js").Hush} Hush */

const widths = [1280, 390];
const schemes = ["light", "dark"];

const { values, positionals } = parseArgs({ options: { readme: { type: "boolean" } }, allowPositionals: true });
const folder = resolve(positionals[0] ?? (await mkdtemp(join(tmpdir(), "hush-screenshots-"))));
await mkdir(folder, { recursive: true });
const images = fileURLToPath(new URL("docs/images/", root));

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
await inBrowser(sameSite, demoPages);
await inBrowser(sameSite, providerPages);
await inBrowser(crossSite, withheld);
await inBrowser(sameSite, glassBox);
await inBrowser(sameSite, lessons);
console.log(`the screenshots are in ${folder}`);

/**
 * @param {import("./harness/hush.js").Layout} layout
 * @param {(page: Page, hush: Hush) => Promise<void>} use
 */
async function inBrowser(layout, use) {
  const { hush, flag } = await startHushAsInTheDemo(layout, { clients: [...demoClients("90s"), thirdParty] });
  const { browser, close } = await openChromium("blocked", [flag]);
  try {
    await use(await browser.newPage(), hush);
  } finally {
    await close();
    await hush.stop();
  }
}

/** The page as it stands, in all variants. @param {Page} page @param {string} name */
async function shoot(page, name) {
  for (const width of widths) {
    for (const scheme of schemes) {
      await page.setViewport({ width, height: 800, deviceScaleFactor: width < 500 ? 2 : 1 });
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await page.evaluate(endAnimations);
      await page.screenshot({ path: join(folder, `${name}-${width}-${scheme}.png`), fullPage: true });
    }
  }
  await page.setViewport({ width: 1280, height: 800 });
}

/** The page as it will be when nothing moves any more; runs in the page. */
function endAnimations() {
  for (const animation of document.getAnimations()) {
    if (animation.effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY) animation.finish();
  }
}

/**
 * The page as the README shows it: from its top to the end of one element.
 * @param {Page} page
 * @param {string} file in docs/images/
 * @param {string} last a selector
 */
async function image(page, file, last) {
  if (!values.readme) return;
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
  await page.evaluate(endAnimations);
  const end = await page.$eval(last, (element) => element.getBoundingClientRect().bottom + window.scrollY);
  const clip = { x: 0, y: 0, width: 1280, height: Math.ceil(end) + 8 };
  await mkdir(images, { recursive: true });
  await page.screenshot({ path: join(images, file), clip, captureBeyondViewport: true });
}

/**
 * One element as the README shows it.
 * @param {Page} page
 * @param {string} file in docs/images/
 * @param {string} selector
 */
async function part(page, file, selector) {
  if (!values.readme) return;
  await page.setViewport({ width: 1000, height: 5000, deviceScaleFactor: 2 }); // no scrolling: headings that stick stay where they belong
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
  await page.mouse.move(0, 0);
  await page.evaluate(endAnimations);
  const element = await page.waitForSelector(selector);
  await element?.screenshot({ path: join(images, file) });
  await page.setViewport({ width: 1280, height: 800 });
}

/** Opens the request of step 1 and the answer of step 2 in every diagram of the page. @param {Page} page */
async function openArrows(page) {
  await page.$$eval("ol.diagram li[data-state=done] details, ol.diagram li[data-state=failed] details", (all) => {
    for (const details of all) details.open = ["1", "2"].includes(details.closest("li")?.dataset.step ?? "");
  });
}

/** The console with something in each of its tabs, and what it says elsewhere. @param {Page} page @param {Hush} hush */
async function glassBox(page, hush) {
  await page.goto(`${hush.issuer}/console`);
  await page.waitForSelector("#console[data-ready=true]");
  await shoot(page, "console-empty");
  await signIn(page, hush, "spa");
  await renew(page);
  const console = new Console(hush);
  await page.goto(`${hush.issuer}/console`);
  await page.waitForSelector("ol.diagram li[data-step='4']");
  await shoot(page, "console-flows");
  await openArrows(page);
  await shoot(page, "console-flows-opened");
  await console.fault({ fault: "third_party_cookie_ignored", times: 3 });
  await openApp(page, hush, "spa");
  await renewInVain(page);
  await shoot(page, "demo-spa-timeline-failed");
  await page.goto(`${hush.issuer}/console`);
  await page.waitForSelector("ol.diagram li[data-state=failed]");
  await openArrows(page);
  await shoot(page, "console-flows-failed");
  const tabs = await page.$$eval("#tabs a", (links) => links.map((link) => link.hash.slice(1)));
  for (const tab of tabs.filter((name) => name !== "flows")) {
    await page.click(`#tabs a[href='#${tab}']`);
    await page.waitForSelector(`#${tab}`, { visible: true });
    await shoot(page, `console-${tab}`);
  }
  await console.reset();
  await page.goto(`${hush.issuer}/authorize?client_id=my-app&redirect_uri=http://localhost:5173/callback`);
  await shoot(page, "idp-error-unknown-client");
  for (const [path, name] of [
    ["/reasons", "idp-reasons"],
    ["/reasons/cookie.withheld_or_absent", "idp-reason"],
  ]) {
    await page.goto(`${hush.issuer}${path}`);
    await shoot(page, name ?? "");
  }
}

/** @param {Page} page @param {Hush} hush */
async function lessons(page, hush) {
  await page.goto(`${hush.app}/lessons/`);
  await shoot(page, "demo-lessons-signed-out");
  await page.click("#sign-in");
  await clickLogin(page, "alice");
  await page.waitForSelector("body[data-ready=true][data-signed-in=true]");
  for (const id of [1, 9]) {
    await page.click(`#lesson-${id}-link`);
    await page.click(`#lesson-${id}-cause`);
    await page.waitForSelector(`#lesson-${id}[data-state=failed]`);
    if (id === 1) await shoot(page, "demo-lessons-failed");
    await page.click(`#lesson-${id}-fix`);
    await page.waitForSelector(`#lesson-${id}[data-state=fixed]`);
  }
  await shoot(page, "demo-lessons-fixed");
  await new Console(hush).reset(); // so many renewals in a few seconds are a loop
  await page.goto(`${hush.app}/both/`);
  await shoot(page, "demo-both");
  await page.click("#sign-in");
  await page.waitForFunction(() => location.pathname === "/both/");
  await page.waitForSelector("body[data-ready=true]");
  await page.click("#renew-both");
  await page.waitForSelector("#web-way ol.diagram[data-state=done]");
  await page.waitForSelector("#renew-both:not([disabled])");
  await shoot(page, "demo-both-renewed");
  await new Console(hush).reset();
  await page.goto(`${hush.app}/tokens/`);
  await shoot(page, "demo-tokens");
  for (const id of ["renew-both", "bind", "revoke", "watch"]) {
    await page.click(`#${id}`);
    await page.waitForSelector(`#${id}:not([disabled])`);
  }
  await shoot(page, "demo-tokens-tried");
}

/** @param {Page} page @param {Hush} hush */
async function demoPages(page, hush) {
  await page.goto(hush.app);
  await shoot(page, "demo-landing");
  await page.goto(`${hush.app}/nowhere`);
  await shoot(page, "demo-not-found");
  await page.goto(`${hush.app}/spa/callback.html?code=x&state=unknown`);
  await page.waitForSelector("#message[data-code]");
  await shoot(page, "demo-callback-failed");
  for (const half of /** @type {const} */ (["spa", "web"])) {
    await openApp(page, hush, half);
    await shoot(page, `demo-${half}-signed-out`);
  }
  await openApp(page, hush, "spa");
  await page.click("#sign-in");
  await page.waitForSelector("#username");
  await image(page, "sign-in.png", "footer");
  await clickLogin(page, "alice");
  await signedIn(page);
  await shoot(page, "demo-spa-signed-in");
  await renew(page);
  await shoot(page, "demo-spa-renewed");
  await image(page, "demo-renewed.png", "section:has(.steps)");
  await part(page, "renewal.png", "section:has(#timeline)");
  await openArrows(page);
  await shoot(page, "demo-spa-timeline-opened");
  await slowMotion(page, hush);
  await openApp(page, hush, "web");
  await page.click("#sign-in");
  await signedIn(page);
  await renew(page);
  await shoot(page, "demo-web-renewed");
  await signOutAtProvider(page, hush);
  await openApp(page, hush, "spa");
  await renewInVain(page);
  await shoot(page, "demo-spa-login-required");
  await hush.provider.stop();
  await openApp(page, hush, "spa");
  await page.waitForSelector("#message[data-code=provider_down]");
  await shoot(page, "demo-spa-provider-down");
}

/** @param {Page} page @param {Hush} hush */
async function slowMotion(page, hush) {
  await page.goto(`${hush.app}/slow/`);
  await page.waitForSelector("body[data-ready=true]");
  for (const stop of ["1", "2", "3a", "3b", "3c", "4", "end"]) {
    await page.click("#next");
    await page.waitForSelector(`body[data-stop='${stop}']`);
    if (stop === "2") await page.waitForSelector("#picture .cookie[data-cookie=sent]");
    await shoot(page, `demo-slow-${stop}`);
  }
}

/** @param {Page} page @param {Hush} hush */
async function withheld(page, hush) {
  await signIn(page, hush, "spa");
  await renewInVain(page);
  await shoot(page, "demo-spa-cookie-withheld");
}

/** @param {Page} page @param {Hush} hush */
async function providerPages(page, hush) {
  await page.goto(hush.issuer);
  await shoot(page, "idp-home-signed-out");
  await page.goto(`${hush.issuer}/authorize?client_id=unknown`);
  await shoot(page, "idp-error");
  await page.goto(authorize(hush, { redirect_uri: "http://localhost:9090/elsewhere" }));
  await shoot(page, "idp-error-redirect-uri");
  await page.goto(authorize(hush, {}));
  await shoot(page, "idp-login");
  await typeLogin(page, "alice", "wrong");
  await page.waitForSelector("[role=alert]");
  await shoot(page, "idp-login-wrong-password");
  await clickLogin(page, "alice");
  await page.waitForSelector("#consent-allow");
  await shoot(page, "idp-consent");
  for (const language of ["de", "es", "fr", "ja"]) {
    for (const prompt of ["login", "consent", "select_account"]) {
      await page.goto(authorize(hush, { prompt, ui_locales: language }));
      await shoot(page, `idp-${prompt}-${language}`);
    }
  }
  await page.goto(authorize(hush, { prompt: "login" }));
  await page.waitForSelector("#username");
  await shoot(page, "idp-login-again");
  await clickLogin(page, "bob");
  await page.waitForSelector("#consent-allow");
  await page.setJavaScriptEnabled(false);
  await page.goto(authorize(hush, { prompt: "select_account" }));
  await shoot(page, "idp-select-account");
  await page.goto(authorize(hush, { prompt: "none", response_mode: "form_post" }));
  await shoot(page, "idp-form-post");
  await page.setJavaScriptEnabled(true);
  await page.goto(hush.issuer);
  await shoot(page, "idp-home");
  for (const path of ["account", "device"]) {
    await page.goto(`${hush.issuer}/${path}`);
    await shoot(page, `idp-${path}`);
  }
  await page.goto(`${hush.issuer}/logout`);
  await shoot(page, "idp-logout");
  await Promise.all([page.waitForNavigation(), page.click("#logout-confirm")]);
  await shoot(page, "idp-signed-out");
}

/** A request of the third-party client. @param {Hush} hush @param {Record<string, string>} change */
function authorize(hush, change) {
  const request = {
    response_type: "code",
    client_id: thirdParty.client_id,
    redirect_uri: thirdParty.redirect_uris[0] ?? "",
    scope: "openid profile email address phone",
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", // RFC 7636 appendix B
    code_challenge_method: "S256",
    ...change,
  };
  return `${hush.issuer}/authorize?${new URLSearchParams(request)}`;
}
