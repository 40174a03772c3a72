// prompt=none in a hidden iframe: whatever is asked, the answer is a redirect back to the app (Core §3.1.2.6).
// A page would be seen by nobody, and the app would wait for its timer.

import assert from "node:assert/strict";
import { crossSite, sameSite } from "./harness/hush.js";
import { openApp, signIn } from "./harness/person.js";
import { askSilently, authorizeURL, inIframe, state } from "./harness/request.js";
import { story } from "./harness/story.js";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("./harness/hush.js").Hush} Hush */

/** Requests of a signed-in user: the change to a good request, and the expected error. */
const refused = /** @type {[string, Record<string, string | undefined>, string][]} */ ([
  ["Core §3.1.2.1 prompt=none stands alone", { prompt: "none login" }, "invalid_request"],
  ["Core §3.1.2.1 max_age=0 asks for a new sign-in", { max_age: "0" }, "login_required"],
  ["RFC 6749 §4.1.1 response_type is required", { response_type: undefined }, "invalid_request"],
  ["RFC 6749 §4.1.2.1 an unknown response_type", { response_type: "token" }, "unsupported_response_type"],
  ["RFC 7636 §4.4.1 a public client sends code_challenge", { code_challenge: undefined }, "invalid_request"],
  ["RFC 7636 §4.4.1 plain is refused", { code_challenge_method: "plain" }, "invalid_request"],
  ["Core §6.1 a request object is not ignored", { request: "e30.e30." }, "invalid_request_object"],
]);

const places = /** @type {const} */ ([
  { layout: sameSite, cookies: "allowed" },
  { layout: crossSite, cookies: "allowed" },
]);

for (const place of places) {
  story("prompt=none in an iframe never renders a page", place, async ({ hush, newTab }) => {
    const { page } = await newTab();
    await openApp(page, hush, "spa");
    assert.equal(await answer(page, hush, {}), "login_required", "Core §3.1.2.6 nobody is signed in");
    await signIn(page, hush, "spa");
    assert.equal(await answer(page, hush, {}), "code", "Core §3.1.2.6 somebody is signed in");
    for (const [sentence, change, error] of refused) {
      assert.equal(await answer(page, hush, change), error, sentence);
    }
  });
}

story(
  "prompt=none with the cookie withheld: a page that asks the browser for it, and a redirect to the app",
  { layout: crossSite, cookies: "blocked" },
  async ({ hush, newTab }) => {
    const { page } = await newTab();
    await signIn(page, hush, "spa");
    const back = page.waitForResponse((answer) => answer.url().startsWith(`${hush.issuer}/authorize?interaction=`));
    assert.equal((await inIframe(page, authorizeURL(hush, {}))).status(), 200);
    assert.equal((await back).status(), 303);
    const { origin, pathname, searchParams } = new URL((await back).headers().location ?? "");
    assert.equal(origin + pathname, `${hush.app}/spa/callback.html`);
    assert.equal(searchParams.get("error"), "login_required");
    assert.equal(searchParams.get("state"), state);
  },
);

story(
  "Form Post Response Mode §2: the answer is posted to the app without a click",
  { layout: crossSite, cookies: "blocked" },
  async ({ hush, newTab }) => {
    const { page } = await newTab();
    await signIn(page, hush, "spa");
    const posted = page.waitForRequest((request) => request.method() === "POST" && request.url().startsWith(hush.app));
    await page.goto(authorizeURL(hush, { response_mode: "form_post" }));
    const answer = new URLSearchParams((await posted).postData());
    assert.equal((await posted).url(), `${hush.app}/spa/callback.html`);
    assert.equal(answer.get("state"), state);
    assert.ok(answer.get("code"));
  },
);

/**
 * Opens one request in a hidden iframe of the page. Returns the error of the redirect that answers it, or "code".
 * @param {Page} page
 * @param {Hush} hush
 * @param {import("./harness/request.js").Change} change
 */
async function answer(page, hush, change) {
  const params = await askSilently(page, hush, change);
  assert.equal(params.get("state"), state);
  return params.get("error") ?? (params.has("code") ? "code" : "neither");
}
