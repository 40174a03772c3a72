// Storage access: the browser's permission, which a person gives in a dialog that a headless browser does not show, and the
// provider's page that asks for it.

/** @typedef {import("puppeteer-core").Browser} Browser */
/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("./hush.js").Hush} Hush */

/**
 * Answers Chromium's question whether the provider may have its cookie in frames of the app. The answer lasts as long as the
 * session, which ends with the browser.
 * @param {Browser} browser
 * @param {{ app: string, issuer: string }} hush
 * @param {"granted" | "denied" | "prompt"} setting
 * @param {import("puppeteer-core").BrowserContext} [context] in which the answer is valid
 */
export async function setStorageAccess(browser, hush, setting, context = browser.defaultBrowserContext()) {
  const session = await browser.target().createCDPSession();
  await session.send("Browser.setPermission", {
    permission: { name: "storage-access" },
    setting,
    origin: new URL(hush.app).origin,
    embeddedOrigin: new URL(hush.issuer).origin,
    browserContextId: context.id,
  });
}

/**
 * Puts the provider's page that asks into a visible frame of the app's page, and notes what it tells on the body.
 * @param {Page} page
 * @param {Hush} hush
 * @param {Record<string, string>} [change] of the parameters
 */
export async function frameAskPage(page, hush, change = {}) {
  const params = { client_id: "spa", origin: new URL(hush.app).origin, ...change };
  const address = `${hush.issuer}/storage_access?${new URLSearchParams(params)}`;
  await page.evaluate((src) => {
    const frame = document.createElement("iframe");
    frame.id = "ask";
    frame.src = src;
    frame.style.cssText = "width: 28rem; height: 22rem";
    window.addEventListener("message", ({ source, origin, data }) => {
      if (source !== frame.contentWindow || data?.type !== "storage_access") return;
      document.body.dataset.told = `${document.body.dataset.told ?? ""}${data.result} to ${origin === new URL(src).origin ? "us" : origin};`;
    });
    frame.addEventListener("load", () => (document.body.dataset.loaded = "true"));
    document.body.prepend(frame);
  }, address);
  const handle = await page.waitForSelector("#ask");
  return /** @type {import("puppeteer-core").Frame} */ (await handle?.contentFrame());
}

/**
 * Clicks in a frame that stands still. The size of a frame follows its content: a click during the change lands beside the button, and
 * Chromium may drop the input of a frame that moved within the last 500 ms.
 * @param {import("puppeteer-core").Frame | null | undefined} frame
 * @param {string} selector
 */
export async function clickInFrame(frame, selector) {
  const button = await frame?.waitForSelector(selector);
  let still = await boxOf(frame);
  for (let checks = 0; checks < 8; checks++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const now = await boxOf(frame);
    if (now !== still) checks = 0;
    still = now;
  }
  await button?.click();
}

/** Where a frame is in the page around it. @param {import("puppeteer-core").Frame | null | undefined} frame */
async function boxOf(frame) {
  const element = await frame?.frameElement();
  return JSON.stringify(await element?.boundingBox());
}
