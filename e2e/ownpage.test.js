// The tutorial's way to an own page that renews silently: its commands and its file, as they stand in docs/start.md.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort } from "../scripts/port.js";
import { Program, root } from "../scripts/program.js";
import { openChromium } from "./harness/browser.js";
import { clean } from "./harness/hush.js";
import { clickLogin, text } from "./harness/person.js";

/** Slow typing: 60 words a minute. */
const charactersPerSecond = 5;

/** The blocks of the section, in order: what a person types, and the file, which a person copies. */
const { typed, page } = await steps();

async function steps() {
  const tutorial = await readFile(new URL("docs/start.md", root), "utf8");
  const [, section = ""] = /## 4\. Build a page of your own\n([\s\S]*?)\n## /.exec(tutorial) ?? [];
  const blocks = [...section.matchAll(/```(\w*)\n([\s\S]*?)```/g)].map(([, language, block = ""]) => ({
    language,
    block: block.trim(),
  }));
  return {
    typed: blocks.filter(({ language }) => language === "").map(({ block }) => block),
    page: blocks.find(({ language }) => language === "html")?.block ?? "",
  };
}

/** @type {Program} */
let provider;
/** @type {Program} */
let vite;
/** @type {string} */
let folder;
/** @type {string} */
let issuer;
/** @type {string} */
let app;

before(async () => {
  const ports = { idp: await freePort(), app: await freePort() };
  issuer = `http://localhost:${ports.idp}`;
  app = `http://localhost:${ports.app}/`;
  folder = await mkdtemp(join(tmpdir(), "hush-own-page-"));
  await symlink(fileURLToPath(new URL("node_modules", root)), join(folder, "node_modules"));
  await writeFile(join(folder, "index.html"), page.replace("http://localhost:8080", issuer));
  const [, args = ""] = /^go run \.\/cmd\/idp (.*)$/m.exec(typed[0] ?? "") ?? [];
  provider = new Program("The provider", "bin/idp", [...args.split(" "), "--listen", `127.0.0.1:${ports.idp}`], {
    env: clean(),
  });
  const options = [folder, "--port", `${ports.app}`, "--strictPort", "--host", "127.0.0.1"];
  vite = new Program("Vite", "node_modules/vite/bin/vite.js", options, { env: clean() });
  await Promise.all([provider.answers(`${issuer}/healthz`), vite.answers(app)]);
});

after(async () => {
  await Promise.all([provider?.stop(), vite?.stop()]);
  await rm(folder, { recursive: true });
});

test("the tutorial's steps take at most sixty seconds to type, and touch no file of the provider", () => {
  assert.deepEqual(
    typed.flatMap((block) => block.split("\n")).map((line) => line.split(" ")[0]),
    ["go", "mkdir", "npx"],
  );
  const seconds = typed.join("\n").length / charactersPerSecond;
  assert.ok(seconds <= 60, `typing takes ${seconds} seconds`);
});

test("the README has the same commands", async () => {
  const readme = await readFile(new URL("README.md", root), "utf8");
  for (const block of typed) assert.ok(readme.includes(`\n${block}\n`), block);
});

test("the tutorial's page signs in, and renews silently by itself", { timeout: 120_000 }, async () => {
  const { browser, close } = await openChromium("allowed");
  try {
    const tab = await browser.newPage();
    await tab.goto(app);
    await clickLogin(tab, "alice");
    const first = await shown(tab, "");
    assert.match(first, /^alice, until /);
    assert.equal(tab.url(), app);
    assert.match(await shown(tab, first), /^alice, until /);
    await tab.goto(`${issuer}/console#clients`);
    await tab.waitForSelector("#client-my-app");
    assert.match(await text(tab, "#client-my-app"), /client_id: my-app/);
  } catch (error) {
    throw new Error(`${error}\n${provider.output}\n${vite.output}`);
  } finally {
    await close();
  }
});

/** The text of the page once it is another than before. @param {import("puppeteer-core").Page} tab @param {string} before */
async function shown(tab, before) {
  const differs = (/** @type {string} */ old) => {
    const now = document.querySelector("p")?.textContent ?? "";
    return now !== "" && now !== old && now.includes("until");
  };
  await tab.waitForFunction(differs, { timeout: 60_000 }, before);
  return text(tab, "p");
}
