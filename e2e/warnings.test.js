// A reason that stopped no request is a warning: where the flow fails, the reason of the failure stands before it, and
// only that is red.

import assert from "node:assert/strict";
import { Console, codesOf } from "./harness/console.js";
import { sameSite } from "./harness/hush.js";
import { signIn } from "./harness/person.js";
import { askSilently, redeem } from "./harness/request.js";
import { scenes } from "./harness/story.js";

scenes("the reasons of a flow", { layout: sameSite, cookies: "allowed" }, (scene) => {
  scene("begin with the one that stopped it, on the page and in the JSON", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await signIn(page, hush, "spa");
    const console = new Console(hush);
    await console.reset();
    let code = "";
    for (let count = 0; count < 4; count++) code = (await askSilently(page, hush, {})).get("code") ?? "";
    const before = await console.flowWith("renewal.looping");
    assert.deepEqual(codesOf(before), ["renewal.looping"]);
    await redeem(page, hush, { code, code_verifier: "v".repeat(43) });
    const flow = await console.flowWith("pkce.mismatch");
    assert.equal(flow.id, before.id);
    assert.deepEqual(
      flow.reasons?.map(({ code, warning }) => [code, warning ?? false]),
      [
        ["pkce.mismatch", false],
        ["renewal.looping", true],
      ],
    );

    const watching = await newTab();
    await watching.page.goto(`${hush.issuer}/console`);
    await (await watching.page.waitForSelector(`#flow-list li[data-flow="${flow.id}"] button`))?.click();
    await watching.page.waitForSelector("#flow-head .note");
    const shown = (/** @type {string} */ which) =>
      watching.page.$$eval(which, (all) =>
        all.map((element) => [element.className, element.getAttribute("data-reason") ?? element.textContent]),
      );
    assert.deepEqual(await shown("#flow-head .note"), [
      ["note bad", "pkce.mismatch"],
      ["note warn", "renewal.looping"],
    ]);
    assert.deepEqual(await shown(`#flow-list li[data-flow="${flow.id}"] .tag`), [
      ["tag bad", "pkce.mismatch"],
      ["tag warn", "renewal.looping"],
    ]);
    assert.deepEqual(await shown("#flow-diagram .tag.warn, #flow-diagram .tag.bad"), [
      ["tag warn", "renewal.looping"],
      ["tag bad", "pkce.mismatch"],
    ]);
  });
});
