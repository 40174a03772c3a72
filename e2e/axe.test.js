// axe-core finds nothing on any page, in both themes and at two widths.

import assert from "node:assert/strict";
import { findings } from "./harness/axe.js";
import { Console } from "./harness/console.js";
import { sameSite } from "./harness/hush.js";
import { signIn } from "./harness/person.js";
import { scenes } from "./harness/story.js";

/** The pages, as a signed-in user sees them. @type {Record<"app" | "issuer", string[]>} */
const pages = {
  app: ["/", "/slow/", "/spa/", "/web/", "/both/", "/tokens/", "/lessons/", "/nowhere"],
  issuer: [
    ...["/", "/login", "/account", "/logout", "/device", "/reasons/", "/reasons/session.none", "/nowhere"],
    ...["flows", "cookies", "lab", "try", "check", "sessions", "clients", "keys", "users"].map(
      (tab) => `/console#${tab}`,
    ),
  ],
};

scenes("axe", { layout: sameSite, cookies: "allowed" }, (scene) => {
  for (const half of /** @type {const} */ (["app", "issuer"]))
    scene(`finds nothing on the pages of the ${half}, with the banner of the failure lab`, async ({ hush, newTab }) => {
      const { page } = await newTab();
      await signIn(page, hush, "spa");
      await new Console(hush).forward("1m");
      for (const path of pages[half]) {
        await page.goto("about:blank"); // so that another tab of the console is another page
        await page.goto(hush[half] + path, { waitUntil: "networkidle2" });
        assert.deepEqual(await findings(page), [], path);
      }
      await new Console(hush).reset();
    });
});
