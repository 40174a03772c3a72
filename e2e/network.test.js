// Nothing on a page of the demo contradicts the network: each scene reads what the browser sent during one action, and
// compares it with what the page then says. lessons.test.js does the same for each lesson.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { assertTrue, claimsOf, comesTrue } from "./harness/claims.js";
import { sameSite } from "./harness/hush.js";
import { Network } from "./harness/network.js";
import { renew, renewInVain, settled, signIn, signOutAtProvider, text } from "./harness/person.js";
import { scenes } from "./harness/story.js";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("./harness/story.js").Stage} Stage */

/** A tab with a signed-in user, on a page of the demo. @param {Stage} stage @param {string} path */
async function open({ hush, newTab }, path) {
  const { page } = await newTab();
  const network = await Network.of(page, hush);
  await signIn(page, hush, path === "/web/" ? "web" : "spa");
  await page.goto(hush.app + path);
  await page.waitForSelector("body[data-ready=true]");
  network.begin();
  return { page, network };
}

/** The session at the provider ends in another tab. @param {Stage} stage @param {Page} page */
async function endSession({ hush, newTab }, page) {
  const other = await newTab();
  await signOutAtProvider(other.page, hush);
  await page.bringToFront();
}

/** Presses a button and waits until it can be pressed again. @param {Page} page @param {string} id */
async function press(page, id) {
  await page.click(`#${id}`);
  await page.waitForSelector(`#${id}:not([disabled])`);
}

/** What is seen at the four steps. @param {Page} page */
const facts = (page) => page.$$eval("#steps li li", (all) => all.map(({ textContent }) => textContent ?? ""));

/** The last request of that name. @param {Network} network @param {string} name */
const last = async (network, name) => (await network.sent()).findLast(({ request }) => request === name);

const place = /** @type {const} */ ({ layout: sameSite, cookies: "allowed" });

scenes("/spa/ says what was sent", place, (scene) => {
  scene("in a renewal", async (stage) => {
    const { page, network } = await open(stage, "/spa/");
    await renew(page);
    await comesTrue(async () => assertTrue(await claimsOf(page, "#timeline"), await network.sent()));
    assert.deepEqual(await network.requests(), ["GET /authorize", "POST /token", "GET /api/me"]);
    const authorize = await last(network, "GET /authorize");
    assert.equal(authorize?.cookie, true, "the session cookie was seen on the network");
    const code = authorize.location.get("code") ?? "";
    const seen = (await facts(page)).join("\n");
    assert.ok(seen.includes(`the iframe came back with code=${code.slice(0, 6)}…`), seen);
    assert.match(seen, /\/token answered 200[\s\S]*the API answered 200/);
  });

  scene("in a renewal that fails", async (stage) => {
    const { page, network } = await open(stage, "/spa/");
    await endSession(stage, page);
    await renewInVain(page);
    await comesTrue(async () => assertTrue(await claimsOf(page, "#timeline"), await network.sent()));
    assert.deepEqual(await network.requests(), ["GET /authorize"]);
    assert.equal((await settled(page)).error, (await last(network, "GET /authorize"))?.location.get("error"));
    assert.match(await text(page, "#timeline"), /There is no code to exchange/);
  });

  for (const signedIn of [true, false]) {
    scene(`in a call of the API, ${signedIn ? "with" : "without"} a token`, async (stage) => {
      const { page, network } = await open(stage, "/spa/");
      if (!signedIn) await page.evaluate(() => sessionStorage.clear());
      await press(page, "call-api");
      await settled(page);
      const call = await last(network, "GET /api/me");
      assert.deepEqual(await network.requests(), ["GET /api/me"]);
      assert.equal(call?.bearer, signedIn);
      await comesTrue(async () => {
        const seen = (await facts(page)).join("\n");
        assert.match(seen, signedIn ? /with the access token/ : /without a token/);
        assert.ok(seen.includes(`the API answered ${call?.status}`), seen);
      });
    });
  }
});

scenes("/web/ says what was sent", place, (scene) => {
  scene("in a renewal, where the browser never sees a token", async (stage) => {
    const { page, network } = await open(stage, "/web/");
    await renew(page);
    await comesTrue(async () => assertTrue(await claimsOf(page, "#timeline"), await network.sent()));
    assert.deepEqual(await network.requests(), ["GET /web/silent", "GET /authorize", "POST /web/silent/finish"]);
    assert.ok((await last(network, "POST /web/silent/finish"))?.params.has("code"));
  });

  scene("in a renewal that fails", async (stage) => {
    const { page, network } = await open(stage, "/web/");
    await endSession(stage, page);
    await renewInVain(page);
    await comesTrue(async () => assert.match(await text(page, "#timeline"), /error=login_required/));
    const [silent, authorize, finish, ...more] = await network.sent();
    assert.deepEqual([silent?.request, authorize?.request, more.length], ["GET /web/silent", "GET /authorize", 0]);
    assert.equal(authorize?.location.get("error"), (await settled(page)).error);
    assert.equal(finish?.params.has("code"), false);
  });
});

scenes("/both/ says what was sent", place, (scene) => {
  scene("by each client", async (stage) => {
    const { page, network } = await open(stage, "/both/");
    await press(page, "renew-both");
    await comesTrue(async () => {
      const sent = await network.sent();
      const second = sent.findIndex(({ request }) => request === "GET /web/silent");
      assertTrue(await claimsOf(page, "#spa-way"), sent.slice(0, second));
      assertTrue(await claimsOf(page, "#web-way"), sent.slice(second));
    });
    for (const way of ["spa", "web"]) assert.match(await text(page, `#${way}-way-said`), /^Renewed without a page/);
  });
});

scenes("/tokens/ says what was sent", place, (scene) => {
  scene("in a renewal by each way", async (stage) => {
    const { page, network } = await open(stage, "/tokens/");
    await press(page, "renew-both"); // the first time the refresh token has to be fetched
    for (const _ of [1, 2]) {
      network.begin();
      await press(page, "renew-both");
      const [authorize, byCode, byRefreshToken, ...more] = await network.sent();
      const sent = [authorize, byCode, byRefreshToken].map((one) => one?.request);
      assert.deepEqual([sent, more], [["GET /authorize", "POST /token", "POST /token"], []]);
      await renewedBy(page, "iframe-way", 1, byCode);
      await renewedBy(page, "refresh-way", 0, byRefreshToken);
      assert.deepEqual(
        [byCode, byRefreshToken].map((one) => one?.params.get("grant_type")),
        ["authorization_code", "refresh_token"],
      );
    }
  });

  scene("when the session has ended: the iframe brings no code, the refresh token goes on", async (stage) => {
    const { page, network } = await open(stage, "/tokens/");
    await press(page, "renew-both");
    await endSession(stage, page);
    network.begin();
    await press(page, "renew-both");
    assert.deepEqual(await network.requests(), ["GET /authorize", "POST /token"]);
    assert.match(await text(page, "#iframe-way-said"), /^Failed: session\.none$/);
    await renewedBy(page, "refresh-way", 0, await last(network, "POST /token"));
  });

  scene("with a bound token and its copy", async (stage) => {
    const { page, network } = await open(stage, "/tokens/");
    await press(page, "bind");
    const statuses = (await network.sent())
      .filter(({ request }) => request === "GET /userinfo")
      .map((one) => one.status);
    const said = await text(page, "#dpop-said");
    assert.deepEqual(/answers (\d+)\. .*: (\d+)\.$/.exec(said)?.slice(1).map(Number), statuses, said);
    assert.ok(said.includes(`cnf.jkt is ${(await last(network, "GET /authorize"))?.params.get("dpop_jkt")}`), said);
  });

  scene("in a revocation", async (stage) => {
    const { page, network } = await open(stage, "/tokens/");
    await press(page, "revoke");
    const sent = (await network.sent()).slice(2); // after the tokens came
    const revoked = ["POST /revoke", "POST /revoke"];
    assert.deepEqual(
      sent.map(({ request }) => request),
      ["GET /userinfo", ...revoked, "GET /userinfo"],
    );
    const said = await text(page, "#revoke-said");
    const [before, , , after] = sent.map(({ status }) => status);
    assert.ok(said.includes(`answered ${before} to the access token, and after POST /revoke ${after}`), said);
    const hints = sent.flatMap(({ params }) => params.get("token_type_hint") ?? []);
    assert.equal(/The refresh token is gone as well/.test(said), hints.includes("refresh_token"));
  });

  scene("while it watches the session: nothing", async (stage) => {
    const { page, network } = await open(stage, "/tokens/");
    await press(page, "watch");
    assert.match(await text(page, "#monitor-said"), /every two seconds, without a request/);
    network.begin();
    await pause(5000);
    assert.deepEqual(await network.requests(), []);
  });
});

/** The card names the way that the renewal went, and the token that came. @param {Page} page @param {string} card @param {number} iframes @param {import("./harness/network.js").Sent | undefined} exchange */
async function renewedBy(page, card, iframes, exchange) {
  const tokens = JSON.parse(exchange?.body ?? "{}");
  const said = (await text(page, `#${card}-said`)).replaceAll("\u2060", "");
  assert.equal(
    await page.$eval(`#${card}-said`, (element) => element.getAttribute("data-iframes")),
    String(iframes),
    said,
  );
  assert.match(said, iframes > 0 ? /by an iframe and POST \/token/ : /by POST \/token alone/);
  assert.ok(said.includes(`Access token …${tokens.access_token.slice(-6)}`), said);
  const sent = exchange?.params.get("refresh_token");
  if (!sent) return;
  assert.ok(said.includes(`…${sent.slice(-6)} is spent, …${tokens.refresh_token.slice(-6)} is the next`), said);
}

/** The arrows of the picture that stand for a request of the browser. @type {[string, RegExp][]} */
const requests = [
  ["1", /^GET \/authorize$/],
  ["3b", /^POST \/token$/],
  ["4", /^GET \/api\/me$/],
];

scenes("/slow/ says what was sent", place, (scene) => {
  scene("at each stop: the request of a stop is sent when its button is pressed", async (stage) => {
    const { page, network } = await open(stage, "/slow/");
    for (const stop of ["start", "1", "2", "3a", "3b", "3c", "4", "end"]) {
      if (stop !== "start") await page.click("#next");
      await page.waitForSelector(`body[data-stop="${stop}"]`);
      await agrees(page, network, stop);
    }
  });

  scene("at each stop of a renewal that fails", async (stage) => {
    const { page, network } = await open(stage, "/slow/");
    await endSession(stage, page);
    for (const stop of ["1", "2", "3a", "failed"]) {
      await page.click("#next");
      await page.waitForSelector(`body[data-stop="${stop}"]`);
      await agrees(page, network, stop);
    }
    const error = (await last(network, "GET /authorize"))?.location.get("error");
    assert.equal(error, "login_required");
    assert.match(await text(page, "#stop-text"), /There is no code to exchange/);
  });
});

/** The arrows that the picture shows as gone are the requests that were sent. @param {Page} page @param {Network} network @param {string} stop */
async function agrees(page, network, stop) {
  const gone = await page.$$eval("#picture li[data-state=done]", (all) => all.map(({ dataset }) => dataset.hop));
  const shown = requests.filter(([hop]) => gone.includes(hop)).map(([, request]) => request);
  const sent = await network.requests();
  assert.equal(sent.length, shown.length, `at ${stop} the picture shows ${shown}, sent were ${sent}`);
  for (const [index, request] of shown.entries()) assert.match(sent[index] ?? "", request);
}
