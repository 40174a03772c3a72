// Other names of the machine: 127.0.0.1 where the issuer is localhost.

import assert from "node:assert/strict";
import { sameSite } from "./harness/hush.js";
import { clickLogin, openApp, renew, signedIn, text } from "./harness/person.js";
import { story } from "./harness/story.js";

story(
  "a person who opens the provider at 127.0.0.1 signs in at the issuer, and the apps renew silently",
  { layout: sameSite, cookies: "blocked" },
  async ({ hush, newTab }) => {
    const { page } = await newTab();
    await page.goto(hush.idp);
    assert.equal(page.url(), `${hush.issuer}/`);
    assert.match(await text(page, ".place"), new RegExp(hush.issuer));
    await page.goto(`${hush.idp}/login?ui_locales=de`);
    assert.equal(page.url(), `${hush.issuer}/login?ui_locales=de`);
    await Promise.all([page.waitForNavigation(), clickLogin(page, "alice")]);

    await openApp(page, hush, "spa");
    await page.click("#sign-in"); // the session is at the issuer: no page is shown
    await signedIn(page);
    await renew(page);
  },
);
