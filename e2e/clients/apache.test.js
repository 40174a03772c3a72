// Apache with mod_auth_openidc in front of a page.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { freePort } from "../../scripts/port.js";
import { openChromium } from "../harness/browser.js";
import { clickLogin } from "../harness/person.js";
import { startProvider } from "../harness/provider.js";
import { registered, startApache } from "./apache.js";

/** @typedef {import("puppeteer-core").Page} Page */

/** @type {import("../harness/provider.js").Provider} */
let provider;
/** @type {import("./apache.js").Apache} */
let apache;
/** @type {import("../harness/browser.js").Opened} */
let chromium;

/**
 * Defines a test in a browser context of its own.
 * @param {string} sentence
 * @param {(newTab: () => Promise<Page>) => Promise<void>} tell
 */
function scene(sentence, tell) {
  test(sentence, async () => {
    const context = await chromium.browser.createBrowserContext();
    try {
      await tell(() => context.newPage());
    } catch (error) {
      console.error(`=== ${sentence}\n${provider.program.output.slice(-4000)}\n${await apache.log()}`);
      throw error;
    } finally {
      await context.close();
    }
  });
}

/** Opens a page of Apache. @param {Page} tab @param {string} path */
async function open(tab, path) {
  const answer = await tab.goto(`${apache.origin}${path}`);
  return { status: answer?.status(), user: answer?.headers()["x-user"], at: new URL(tab.url()).origin };
}

/** Opens a page of Apache and signs in. @param {Page} tab @param {string} path @param {string} name */
async function signIn(tab, path, name = "alice") {
  assert.equal((await open(tab, path)).at, provider.issuer);
  await Promise.all([tab.waitForNavigation(), clickLogin(tab, name)]);
  assert.equal(tab.url(), `${apache.origin}${path}`);
}

describe("Apache with mod_auth_openidc", () => {
  before(async () => {
    const port = await freePort();
    const client = { ...registered, backchannel_logout_uri: `http://localhost:${port}/oidc?logout=backchannel` };
    provider = await startProvider({ clients: [client] }, { host: "localhost" });
    apache = await startApache(port, provider.issuer);
    chromium = await openChromium("blocked");
  });
  after(async () => {
    await chromium?.close();
    await apache?.stop();
    await provider?.stop();
  });

  scene("a signed-out user is sent to the provider, and comes back signed in", async (newTab) => {
    const tab = await newTab();
    await signIn(tab, "/secret/");
    assert.deepEqual(await open(tab, "/secret/"), { status: 200, user: "alice", at: apache.origin });
  });

  scene("a claim of userinfo decides who may enter", async (newTab) => {
    const tab = await newTab();
    await signIn(tab, "/alice/");
    assert.equal((await open(tab, "/alice/")).status, 200);
  });

  scene("another person may not enter what is for alice", async (newTab) => {
    const tab = await newTab();
    await signIn(tab, "/secret/", "bob");
    assert.equal((await open(tab, "/secret/")).user, "bob");
    assert.equal((await open(tab, "/alice/")).status, 401);
  });

  scene("signing out at Apache ends the session at the provider too, and comes back", async (newTab) => {
    const tab = await newTab();
    await signIn(tab, "/secret/");
    await open(tab, `/oidc?logout=${encodeURIComponent(`${apache.origin}/open/`)}`);
    assert.equal(tab.url(), `${apache.origin}/open/`);
    assert.equal((await open(tab, "/secret/")).at, provider.issuer);
    assert.ok(await tab.$("#username"), "the provider asks who it is");
  });

  scene("Back-Channel Logout: signing out at the provider ends Apache's session", async (newTab) => {
    const tab = await newTab();
    await signIn(tab, "/secret/");
    await tab.goto(`${provider.issuer}/logout`);
    await Promise.all([tab.waitForNavigation(), tab.click("#logout-confirm")]);
    for (const deadline = AbortSignal.timeout(15_000); !deadline.aborted; ) {
      if ((await open(tab, "/secret/")).at === provider.issuer) return; // the logout token arrived
    }
    assert.fail("Apache still lets her in");
  });
});
