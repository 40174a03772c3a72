// What one click registers in development mode: on the page that refused a request, and in the console.

import assert from "node:assert/strict";
import { Console } from "./harness/console.js";
import { sameSite } from "./harness/hush.js";
import { authorizeURL } from "./harness/request.js";
import { scenes } from "./harness/story.js";

scenes("one click", { layout: sameSite, cookies: "blocked" }, (scene) => {
  scene(
    "registers an address with one click on the page that refused it, and the renewal then works",
    async ({ hush, newTab }) => {
      const { page } = await newTab();
      const uri = `${hush.app}/spa/elsewhere.html`;
      await page.goto(authorizeURL(hush, { prompt: undefined, redirect_uri: uri }));
      const shown = await page.$eval("main", (main) => main.textContent ?? "");
      assert.ok(shown.includes("/spa/callback.html"), `the nearest registered one stands there: ${shown}`);
      assert.match(shown, /path/, "and the difference");
      await Promise.all([page.waitForNavigation(), page.click("#remedy-submit")]);
      await page.waitForSelector("#username"); // back at the request, which is accepted now
      const { clients } = await new Console(hush).read("/console/clients");
      assert.ok(JSON.stringify(clients).includes(uri), JSON.stringify(clients));
    },
  );

  scene(
    "shows for an unknown client the configuration that would add it, and adds it with one click",
    async ({ hush, newTab }) => {
      const { page } = await newTab();
      const change = { prompt: undefined, client_id: "my-app", redirect_uri: "http://localhost:5173/callback" };
      await page.goto(authorizeURL(hush, change));
      const yaml = await page.$eval("main pre", (element) => element.textContent ?? "");
      assert.match(yaml, /client_id: "my-app"/);
      assert.match(yaml, /http:\/\/localhost:5173\/callback/);
      await Promise.all([page.waitForNavigation(), page.click("#remedy-submit")]);
      await page.waitForSelector("#username");
    },
  );

  scene("registers an address with one click in the flow that says why it was refused", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await new Console(hush).reset();
    const uri = "http://localhost:5173/elsewhere";
    const request = authorizeURL(hush, { prompt: undefined, redirect_uri: uri });
    await page.goto(request);
    await page.goto(`${hush.issuer}/console`);
    await page.waitForSelector("[data-register=redirect_uri]");
    await page.click("[data-register=redirect_uri]");
    await page.waitForSelector("#message.good");
    await page.goto(request);
    await page.waitForSelector("#username");
    const { clients } = await new Console(hush).read("/console/clients");
    const spa = clients.find((/** @type {any} */ shown) => shown.client.client_id === "spa");
    assert.ok(spa.yaml.includes(uri), spa.yaml);
    assert.ok(spa.client.post_logout_redirect_uris.length > 0, "it can sign out too");
  });
});
