// What a person does with the pages of the provider and the demo, and what they see there.

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("./hush.js").Hush} Hush */

/** The two halves of the demo; they have the same elements. @typedef {"spa" | "web"} Half */

/** Both halves, for tests that hold for each. @type {Half[]} */
export const halves = ["spa", "web"];

/**
 * Opens one half of the demo and waits until it can be used.
 * @param {Page} page
 * @param {Hush} hush
 * @param {Half} half
 */
export async function openApp(page, hush, half) {
  await page.goto(`${hush.app}/${half}/`);
  await page.waitForSelector("body[data-ready=true]");
}

/**
 * Types name and password into the provider's form and sends it.
 * @param {Page} page
 * @param {string} name
 * @param {string} password
 */
export async function typeLogin(page, name, password = name) {
  await page.waitForSelector("#username");
  await page.$eval("#username", (field) => {
    if (field instanceof HTMLInputElement) field.value = ""; // it may be prefilled
  });
  await page.type("#username", name);
  await page.type("#password", password);
  await page.click("#login-submit");
}

/** Signs in by one click on a name at the provider. @param {Page} page @param {string} name */
export async function clickLogin(page, name) {
  await page.waitForSelector(`#login-as-${name}`);
  await page.click(`#login-as-${name}`);
}

/** Waits until the app shows that somebody is signed in. @param {Page} page */
export async function signedIn(page) {
  await page.waitForSelector("body[data-ready=true][data-signed-in=true]");
}

/** Waits until the app shows that nobody is signed in. @param {Page} page */
export async function signedOut(page) {
  await page.waitForSelector("body[data-ready=true][data-signed-in=false]");
}

/**
 * Opens the app and signs in by redirect, with one click at the provider.
 * @param {Page} page
 * @param {Hush} hush
 * @param {Half} half
 */
export async function signIn(page, hush, half, name = "alice") {
  await openApp(page, hush, half);
  await page.click("#sign-in");
  await clickLogin(page, name);
  await signedIn(page);
}

/**
 * Ends the session at the provider itself, behind the app's back.
 * @param {Page} page
 * @param {Hush} hush
 */
export async function signOutAtProvider(page, hush) {
  await page.goto(`${hush.issuer}/logout`);
  await Promise.all([page.waitForNavigation(), page.click("#logout-confirm")]);
}

/** Presses the sign-out button, and waits until the app is back. @param {Page} page */
export async function signOut(page) {
  await Promise.all([page.waitForNavigation(), page.click("#sign-out")]);
  await says(page, "signed_out");
}

/**
 * Presses the renew button and waits for new tokens and the API's word on them.
 * @param {Page} page
 */
export async function renew(page) {
  await page.click("#renew");
  await says(page, "renewed");
}

/** Presses the renew button and waits for what the page says about its failure. @param {Page} page */
export async function renewInVain(page) {
  await page.click("#renew");
  return settled(page);
}

/**
 * Waits for a message and fails, with its words, when it is another than the expected one.
 * @param {Page} page
 * @param {string} code
 */
export async function says(page, code) {
  const message = await settled(page);
  if (message.code !== code) throw new Error(`the page says ${message.code}, expected ${code}: ${message.words}`);
  return message;
}

/** Waits for a message: its code, the OAuth error code behind it, and its words. @param {Page} page */
export async function settled(page) {
  await page.waitForSelector("#message[data-code]:not([data-code=''])");
  return page.$eval("#message", (element) => ({
    code: element.getAttribute("data-code"),
    error: element.getAttribute("data-error"),
    words: element.textContent ?? "",
  }));
}

/**
 * The decoded claims that the app shows.
 * @param {Page} page
 * @param {"id-token" | "access-token"} token
 */
export async function claims(page, token) {
  return JSON.parse(await text(page, `#${token}`));
}

/**
 * The tokens as oidc-client-ts keeps them in the tab's storage.
 * @param {Page} page
 * @param {Hush} hush
 * @returns {Promise<{ access_token: string, id_token: string }>}
 */
export async function storedTokens(page, hush) {
  const key = `oidc.user:${hush.issuer}:spa`;
  return JSON.parse(await page.evaluate((name) => sessionStorage.getItem(name) ?? "{}", key));
}

/** @param {Page} page @param {string} selector */
export function text(page, selector) {
  return page.$eval(selector, (element) => element.textContent ?? "");
}
