// Three origins in a row: a form of the provider, the callback of an app, and the origin to which the callback redirects. A
// browser may apply the Content-Security-Policy of the page with the form to each of these redirects (CSP3 §6.4.1.1).

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openChromium } from "./harness/browser.js";
import { clickLogin, typeLogin } from "./harness/person.js";
import { startProvider } from "./harness/provider.js";
import { startSite } from "./harness/site.js";

/** @typedef {import("puppeteer-core").Page} Page */

/** @type {import("./harness/provider.js").Provider} */
let provider;
/** @type {import("./harness/site.js").Site} The app's back end. */
let app;
/** @type {import("./harness/site.js").Site} The origin to which the back end sends the person. */
let home;
/** @type {import("./harness/browser.js").Opened} */
let chromium;

/** The address of an authorization request of the app. @param {Record<string, string>} more parameters */
function request(more = {}) {
  const params = { client_id: "bff", redirect_uri: `${app.origin}/callback`, scope: "openid", response_type: "code" };
  return `${provider.issuer}/authorize?${new URLSearchParams({ ...params, ...more })}`;
}

/** Signs in at the provider, without an app. @param {Page} page */
async function signIn(page) {
  await page.goto(`${provider.issuer}/login`);
  await Promise.all([page.waitForNavigation(), clickLogin(page, "alice")]);
}

/** What a person does at the provider before they must arrive at the third origin. @type {Record<string, (page: Page) => Promise<unknown>>} */
const forms = {
  "sign-in with a password": async (page) => {
    await page.goto(request());
    await typeLogin(page, "alice");
  },
  "sign-in with a password after a wrong one": async (page) => {
    await page.goto(request());
    await typeLogin(page, "alice", "wrong");
    await page.waitForSelector("#login-error");
    await typeLogin(page, "alice");
  },
  "sign-in with one click": async (page) => {
    await page.goto(request());
    await clickLogin(page, "alice");
  },
  "cancelled sign-in": async (page) => {
    await page.goto(request());
    await page.click("#login-cancel");
  },
  consent: async (page) => {
    await signIn(page);
    await page.goto(request({ prompt: "consent" }));
    await page.click("#consent-allow");
  },
  "refused consent": async (page) => {
    await signIn(page);
    await page.goto(request({ prompt: "consent" }));
    await page.click("#consent-deny");
  },
  "choice of an account": async (page) => {
    await signIn(page);
    await page.goto(request({ prompt: "select_account" }));
    await page.click("#account-alice");
  },
  "answer by form_post": async (page) => {
    await signIn(page);
    await page.goto(request({ response_mode: "form_post" }));
  },
  "answer by form_post after a sign-in": async (page) => {
    await page.goto(request({ response_mode: "form_post" }));
    await clickLogin(page, "alice");
  },
  "redirect URI that the developer registers by the button of the error page": async (page) => {
    await signIn(page);
    await page.goto(request({ redirect_uri: `${app.origin}/another` }));
    await page.click("#remedy-submit");
  },
  "sign-out": async (page) => {
    await signIn(page);
    const params = { client_id: "bff", post_logout_redirect_uri: `${app.origin}/signed-out` };
    await page.goto(`${provider.issuer}/logout?${new URLSearchParams(params)}`);
    await Promise.all([page.waitForNavigation(), page.click("#logout-confirm")]);
    const link = await page.$("#return-to"); // on the page that is shown if the provider does not redirect by itself
    await link?.click();
  },
};

describe("a person arrives at the third origin after", () => {
  before(async () => {
    home = await startSite({ "/home": "You have arrived." });
    const onward = `${home.origin}/home`;
    const redirects = { "/callback": onward, "/another": onward, "/signed-out": onward, "/frontchannel": onward };
    app = await startSite({}, { redirects });
    const client = {
      client_id: "bff",
      client_secret: "secret",
      first_party: true,
      redirect_uris: [`${app.origin}/callback`],
      post_logout_redirect_uris: [`${app.origin}/signed-out`],
      frontchannel_logout_uri: `${app.origin}/frontchannel`,
    };
    provider = await startProvider({ clients: [client] }, { host: "localhost" });
    chromium = await openChromium("blocked");
  });
  after(async () => {
    await chromium?.close();
    await Promise.all([provider?.stop(), app?.stop(), home?.stop()]);
  });

  for (const [name, act] of Object.entries(forms)) {
    test(`CSP3 §6.4.1.1 ${name}`, async () => {
      const context = await chromium.browser.createBrowserContext();
      const page = await context.newPage();
      try {
        await act(page);
        await page.waitForFunction((url) => location.href.startsWith(url), { timeout: 10_000 }, `${home.origin}/home`);
      } catch (error) {
        assert.fail(`the browser stays at ${page.url()}: ${error}\n${provider.program.output.slice(-2000)}`);
      } finally {
        await context.close();
      }
    });
  }

  test("Front-Channel Logout §3 a sign-out that an app redirects to another origin in its iframe", async () => {
    const context = await chromium.browser.createBrowserContext();
    const page = await context.newPage();
    try {
      await page.goto(request());
      await clickLogin(page, "alice");
      await page.waitForFunction((url) => location.href.startsWith(url), { timeout: 10_000 }, `${home.origin}/home`);
      await page.goto(`${provider.issuer}/logout`);
      await Promise.all([page.waitForNavigation(), page.click("#logout-confirm")]);
      await page.waitForNetworkIdle();
      const frames = page.frames().map((frame) => frame.url());
      assert.ok(
        frames.some((url) => url.startsWith(`${home.origin}/home`)),
        `the frames are at ${frames}`,
      );
    } finally {
      await context.close();
    }
  });
});
