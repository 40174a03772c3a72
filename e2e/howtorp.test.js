// The program of docs/how-to-rp.md in a browser: it renews silently, by the silent callback page of package rp, and refuses
// a user.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "../scripts/port.js";
import { Program, root } from "../scripts/program.js";
import { openChromium } from "./harness/browser.js";
import { clean } from "./harness/hush.js";
import { clickLogin, text } from "./harness/person.js";

/** @type {Program} */
let provider;
/** @type {Program} */
let program;
/** @type {string} */
let folder;
/** @type {string} */
let app;

before(async () => {
  const ports = { idp: await freePort(), app: await freePort() };
  const issuer = `http://localhost:${ports.idp}`;
  app = `http://localhost:${ports.app}/`;
  folder = await mkdtemp(join(tmpdir(), "hush-how-to-rp-"));
  const page = await readFile(new URL("docs/how-to-rp.md", root), "utf8");
  const [, source = ""] = /```go\n([\s\S]*?)```/.exec(page) ?? [];
  await build(
    source.replaceAll("http://localhost:8080", issuer).replaceAll("localhost:3000", `localhost:${ports.app}`),
  );
  provider = new Program("The provider", "bin/idp", ["--listen", `127.0.0.1:${ports.idp}`, "--issuer", issuer], {
    env: clean(),
  });
  program = new Program("The program", join(folder, "my-app"), [], { env: clean() });
  await Promise.all([provider.answers(`${issuer}/healthz`), program.answers(app)]);
});

after(async () => {
  await Promise.all([provider?.stop(), program?.stop()]);
  await rm(folder, { recursive: true });
});

/** Builds source as the package my-app of this module, which needs no file in it. @param {string} source */
async function build(source) {
  const [main, overlay] = [join(folder, "main.go"), join(folder, "overlay.json")];
  const place = fileURLToPath(new URL("my-app/main.go", root));
  await writeFile(main, source);
  await writeFile(overlay, JSON.stringify({ Replace: { [place]: main } }));
  const options = ["build", "-overlay", overlay, "-o", join(folder, "my-app"), "./my-app"];
  await promisify(execFile)("go", options, { cwd: fileURLToPath(root) });
}

test("the program of the page signs in, renews silently, and refuses a user", { timeout: 120_000 }, async () => {
  const { browser, close } = await openChromium("allowed");
  try {
    const tab = await browser.newPage();
    await tab.goto(app);
    await tab.click("a[href='/web/login']");
    await clickLogin(tab, "alice");
    await tab.waitForSelector("#renew");
    assert.match(await text(tab, "body"), /Hello Alice/);
    assert.equal(tab.url(), app, "a sign-in without return_to ends at Home");
    for (const times of [1, 2]) {
      await tab.click("#renew");
      await tab.waitForFunction((said) => document.querySelector("output")?.value === said, {}, `renewals: ${times}`);
    }
    await tab.goto(`${app}web/login?prompt=login`);
    await clickLogin(tab, "carol");
    await tab.waitForSelector("a[href='/web/login']");
    assert.match(await text(tab, "body"), /carol has no account here/);
    await tab.goto(app);
    assert.doesNotMatch(await text(tab, "body"), /Hello/, "no session remains");
  } catch (error) {
    throw new Error(`${error}\n${provider.output}\n${program.output}`);
  } finally {
    await close();
  }
});
