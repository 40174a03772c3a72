// Automatic renewal: nobody presses a button.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { demoClients } from "./harness/clients.js";
import { crossSite, sameSite } from "./harness/hush.js";
import { claims, halves, signIn, text } from "./harness/person.js";
import { story } from "./harness/story.js";

/** Renewal begins 60 s before the access token expires; tokens of 63 s let a test see it within seconds. */
const config = { clients: demoClients("63s") };

const places = /** @type {const} */ ([
  { layout: sameSite, cookies: "allowed" },
  { layout: crossSite, cookies: "allowed" },
]);

// All at once: what they do is wait until the tokens are old enough.
describe("automatic renewal", { concurrency: 4 }, () => {
  for (const place of places) {
    for (const half of halves) {
      story(`${half}: the tokens are renewed by themselves`, { ...place, config }, async ({ hush, newTab }) => {
        const { page } = await newTab();
        await signIn(page, hush, half);
        const before = await claims(page, "access-token");
        // A slow sign-in may leave time for a renewal before the first look: the token has to change, not a count.
        const change = (/** @type {string} */ jti) =>
          !(document.querySelector("#access-token")?.textContent ?? jti).includes(jti);
        await page.waitForFunction(change, {}, before.jti);
        const after = await claims(page, "access-token");
        assert.ok(Number(await text(page, "#renewals")) > 0, "the page counts the renewal");
        assert.equal(after.sub, before.sub);
        assert.equal(await text(page, "body[data-signed-in=true] #user-sub"), before.sub);
      });
    }
  }
});
