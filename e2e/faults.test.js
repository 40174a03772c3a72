// What a person reads when something is not there.

import assert from "node:assert/strict";
import { sameSite } from "./harness/hush.js";
import { openApp, renewInVain, says, settled, signIn } from "./harness/person.js";
import { story } from "./harness/story.js";

const place = /** @type {const} */ ({ layout: sameSite, cookies: "allowed" });

story("spa: a provider that is down is said in words as the page opens", place, async ({ hush, newTab }) => {
  const { page } = await newTab();
  await hush.provider.stop();
  await openApp(page, hush, "spa");
  const { words } = await says(page, "provider_down");
  assert.ok(words.includes(hush.issuer), words);
});

story("spa: a provider that goes down is said in words at the renewal", place, async ({ hush, newTab }) => {
  const { page } = await newTab();
  await signIn(page, hush, "spa");
  await hush.provider.stop();
  assert.equal((await renewInVain(page)).code, "provider_down");
});

story("web: a provider that goes down is said in words at the renewal", place, async ({ hush, newTab }) => {
  const { page } = await newTab();
  await signIn(page, hush, "web");
  await hush.provider.stop();
  assert.equal((await renewInVain(page)).code, "provider_down");
});

story("web: a provider that is down is said in words at the sign-in", place, async ({ hush, newTab }) => {
  const { page } = await newTab();
  await hush.provider.stop();
  await openApp(page, hush, "web");
  await page.click("#sign-in");
  assert.equal((await settled(page)).code, "provider_down");
});

story("an API that refuses the access token is said in words", place, async ({ hush, newTab }) => {
  const { page } = await newTab();
  await openApp(page, hush, "spa");
  await page.click("#call-api"); // signed out: there is no access token
  const { words } = await says(page, "api_refused");
  assert.match(words, /401/);
});
