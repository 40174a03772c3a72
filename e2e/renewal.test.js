// The silent renewal: what the project is about.

import assert from "node:assert/strict";
import { crossSite, sameSite } from "./harness/hush.js";
import {
  claims,
  halves,
  openApp,
  renew,
  renewInVain,
  signIn,
  signOutAtProvider,
  storedTokens,
  text,
} from "./harness/person.js";
import { scenes, story } from "./harness/story.js";

/** @typedef {import("./harness/journal.js").FrameAnswer} FrameAnswer */
/** @typedef {import("./harness/hush.js").Hush} Hush */
/** @typedef {import("./harness/story.js").Stage} Stage */

/** Where the provider's cookie reaches the hidden iframe. */
const open = /** @type {const} */ ([
  { layout: sameSite, cookies: "allowed" },
  { layout: sameSite, cookies: "blocked" }, // one site: there is no third party
  { layout: crossSite, cookies: "allowed" },
  { layout: crossSite, cookies: "granted", browser: "firefox" }, // its default, after a sign-in at the provider's own page
]);
const shut = /** @type {const} */ ({ layout: crossSite, cookies: "blocked" });

const renewing = "renewal gives another access token for the same sign-in, and the API accepts it";
const signedOut = "signed out at the provider, renewal says login_required";

for (const place of open) {
  scenes("where the cookie arrives", place, (scene) => {
    for (const half of halves) {
      scene(`${half}: ${renewing}`, (stage) => renews(stage, half));
      scene(`${half}: ${signedOut}`, (stage) => refusesWhoSignedOut(stage, half));
    }

    scene("spa: the renewed access token is another string, and is what the tab keeps", async ({ hush, newTab }) => {
      const { page } = await newTab();
      await signIn(page, hush, "spa");
      const before = await storedTokens(page, hush);
      await renew(page);
      const after = await storedTokens(page, hush);
      assert.ok(before.access_token && after.access_token);
      assert.notEqual(after.access_token, before.access_token);
    });

    scene("spa: a person signed in elsewhere is recognised without a page", async ({ hush, newTab }) => {
      const web = await newTab();
      await signIn(web.page, hush, "web");
      const spa = await newTab();
      await openApp(spa.page, hush, "spa");
      await spa.page.click("#renew");
      await spa.page.waitForSelector("body[data-signed-in=true]");
      assert.equal(await text(spa.page, "#user-sub"), await text(web.page, "#user-sub"));
    });
  });
}

for (const half of halves) {
  story(`${half}: a withheld cookie is answered login_required, and said in words`, shut, async ({ hush, newTab }) => {
    const { page, journal } = await newTab();
    await signIn(page, hush, half);
    const before = await claims(page, "access-token");
    const message = await renewInVain(page);

    assert.equal(message.code, "cookie_withheld");
    assert.match(message.words, /cookie\.access_denied/);
    assert.match(message.words, /the browser refused/);
    assert.match(message.words, half === "spa" ? /the card below has the ways/ : /the page \S+\/spa\/ has the ways/);
    assertLoginRequired(message);
    const [asks, ...others] = journal.framesFrom(hush.issuer);
    assert.equal(asks?.status, 200, "a page without any interface asks the browser for the cookie");
    assertOnlyRedirects(others, hush);
    assert.equal((await claims(page, "access-token")).jti, before.jti, "the token at hand stays");
  });
}

story("spa: nobody signed in is said in words", { layout: sameSite, cookies: "allowed" }, async ({ hush, newTab }) => {
  const { page, journal } = await newTab();
  await openApp(page, hush, "spa");
  const message = await renewInVain(page);
  assert.equal(message.code, "login_required");
  assert.match(message.words, /Nobody is signed in/);
  assertOnlyRedirects(journal.framesFrom(hush.issuer), hush);
});

/** @param {Stage} stage @param {import("./harness/person.js").Half} half */
async function renews({ hush, newTab }, half) {
  const { page, journal } = await newTab();
  await signIn(page, hush, half);
  const before = { id: await claims(page, "id-token"), access: await claims(page, "access-token") };
  await renew(page);
  const after = { id: await claims(page, "id-token"), access: await claims(page, "access-token") };

  assert.equal(await text(page, "#renewals"), "1");
  assert.notEqual(after.access.jti, before.access.jti);
  assert.deepEqual([after.id.sub, after.id.auth_time], [before.id.sub, before.id.auth_time]);
  const { hello, jti } = JSON.parse(await text(page, "#api-result"));
  assert.deepEqual([hello, jti], [before.id.sub, after.access.jti], "the API answered to the new access token");
  assertOnlyRedirects(journal.framesFrom(hush.issuer), hush);
}

/** @param {Stage} stage @param {import("./harness/person.js").Half} half */
async function refusesWhoSignedOut({ hush, newTab }, half) {
  const app = await newTab();
  await signIn(app.page, hush, half);
  const idp = await newTab();
  await signOutAtProvider(idp.page, hush);
  await app.page.bringToFront();
  assertLoginRequired(await renewInVain(app.page));
  assertOnlyRedirects(app.journal.framesFrom(hush.issuer), hush);
}

/**
 * The wait was ended by the provider's answer and not by the client's timer, which has a code of its own.
 * @param {Awaited<ReturnType<typeof renewInVain>>} message
 */
function assertLoginRequired({ error, words }) {
  assert.equal(error, "login_required", words);
}

/**
 * Core §3.1.2.6: no page in the hidden iframe, only redirects back to the app.
 * @param {FrameAnswer[]} answers
 * @param {Hush} hush
 */
function assertOnlyRedirects(answers, hush) {
  assert.ok(answers.length > 0, "no answer of the provider to an iframe was seen");
  for (const { status, location } of answers) {
    assert.equal(status, 303);
    assert.equal(location?.origin, hush.app);
  }
}
