// A silent request whose redirect URI is not registered: the answer cannot go to the app, so it stays in the hidden iframe.

import assert from "node:assert/strict";
import { sameSite } from "./harness/hush.js";
import { openApp } from "./harness/person.js";
import { authorizeURL, inIframe } from "./harness/request.js";
import { scenes } from "./harness/story.js";

scenes("a hidden iframe", { layout: sameSite, cookies: "blocked" }, (scene) => {
  scene("writes an unregistered redirect URI, and the reason's page, to the console", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await openApp(page, hush, "spa");
    const error = new Promise((resolve) =>
      page.on("console", (message) => message.text().startsWith("Hush: ") && resolve(message)),
    );
    const address = authorizeURL(hush, { redirect_uri: `${hush.app}/silent.html`, prompt: "none" });
    await inIframe(page, address);
    const message = await error;
    assert.equal(message.type(), "error");
    assert.match(message.text(), /\/silent\.html, which is not registered for client spa/);
    assert.ok(message.text().endsWith(`${hush.issuer}/reasons/redirect.unregistered`), message.text());
  });
});
