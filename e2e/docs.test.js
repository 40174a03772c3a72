// The documentation as a site: the demo app serves it at /docs/.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { root } from "../scripts/program.js";
import { findings } from "./harness/axe.js";
import { sameSite } from "./harness/hush.js";
import { text } from "./harness/person.js";
import { scenes } from "./harness/story.js";

/** @typedef {import("puppeteer-core").Page} Page */

const site = new URL("bin/docs/", root);
const repository = "https://github.com/hush-idp/hush/blob/main/";

before(() => promisify(execFile)("make", ["docs"], { cwd: fileURLToPath(root), maxBuffer: 16 << 20 }));

/** The pages of the site: their names, and their text without the two pieces that VitePress writes for each. */
async function pages() {
  const all = await readdir(site, { recursive: true });
  const names = all.filter((name) => name.endsWith(".html") && name !== "404.html");
  return Promise.all(names.map(async (name) => ({ name, html: await readFile(new URL(name, site), "utf8") })));
}

/** The values of an attribute. @param {string} html @param {string} name */
const attributes = (html, name) =>
  [...html.matchAll(new RegExp(` ${name}="([^"]*)"`, "g"))].map(([, value = ""]) => value.replaceAll("&amp;", "&"));

test("each link of the site leads to a page, a heading or a file that exists", async () => {
  const all = await pages();
  const ids = new Map(all.map(({ name, html }) => [name, new Set(attributes(html, "id"))]));
  for (const { name, html } of all) {
    for (const address of new Set([...attributes(html, "href"), ...attributes(html, "src")])) {
      assert.equal(problemOf(new URL(address, `http://docs/docs/${name}`), ids), "", `${name} links to ${address}`);
    }
  }
});

/** What is wrong with an address; empty: nothing. @param {URL} address @param {Map<string, Set<string>>} ids */
function problemOf(address, ids) {
  if (address.href.startsWith(repository)) {
    const path = address.href.slice(repository.length).replace(/#.*/, "");
    return existsSync(new URL(path, root)) ? "" : "the repository has no such file";
  }
  return address.href.startsWith("http://docs/docs/") ? problemOnSite(address, ids) : "";
}

/** @param {URL} address @param {Map<string, Set<string>>} ids */
function problemOnSite({ pathname, hash }, ids) {
  const name = pathname.slice("/docs/".length).replace(/(^|\/)$/, "$1index.html");
  const there = ids.get(name);
  if (!there) return existsSync(new URL(name, site)) ? "" : "the site has no such file";
  return hash === "" || there.has(decodeURIComponent(hash.slice(1))) ? "" : "the page has no such heading";
}

test("the list of documents names each document", async () => {
  const list = await readFile(new URL("docs/README.md", root), "utf8");
  const names = (await readdir(new URL("docs/", root))).filter((name) => name.endsWith(".md") && name !== "README.md");
  assert.deepEqual(
    names.filter((name) => !new RegExp(`^- \\[.+\\]\\(${name}[#)]`, "m").test(list)),
    [],
  );
});

test("no page of the site contains a script", async () => {
  for (const { name, html } of await pages()) assert.doesNotMatch(html, /<script(?![^>]* src=)/, name);
});

scenes("the documentation", { layout: sameSite, cookies: "allowed" }, (scene) => {
  scene("is found from the start page, and has four parts", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await page.setViewport({ width: 1280, height: 900 });
    await page.goto(hush.app);
    await Promise.all([page.waitForNavigation(), page.click('nav a[href="/docs/"]')]);
    assert.match(await text(page, "h1"), /^Documentation/);
    const parts = await page.$$eval(".VPSidebar h2", (found) => found.map(({ textContent }) => textContent));
    assert.deepEqual(parts, ["Start", "How to", "Understand", "Look up"]);
    await Promise.all([page.waitForNavigation(), page.click('.VPNavBarMenu a[href="/docs/../"]')]);
    assert.equal(page.url(), `${hush.app}/`);
  });

  scene("finds a word, and opens the place where it stands", async ({ hush, newTab }) => {
    const { page, journal } = await newTab();
    await open(page, hush, "");
    await page.click("#local-search button");
    await page.waitForSelector("#localsearch-input");
    await page.type("#localsearch-input", "withheld_or_absent");
    const first = await page.waitForSelector("#localsearch-list a.result");
    await first?.click();
    await page.waitForFunction(() => document.querySelector(".vp-doc")?.textContent?.includes("withheld_or_absent"));
    assert.deepEqual(journal.lines.filter(isProblem), []);
  });

  scene("shows each table whole on a screen of 1280 pixels", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await page.setViewport({ width: 1280, height: 900 });
    for (const { name } of (await pages()).filter(({ html }) => html.includes("<table"))) {
      await page.goto(`${hush.app}/docs/${name}`); // with its styles, which are all that counts here
      const cut = await page.$$eval(".vp-doc table", (tables) =>
        tables
          .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
          .map((table) => `${table.scrollWidth} px in ${table.clientWidth}: ${table.rows[0]?.textContent}`),
      );
      assert.deepEqual(cut, [], name);
    }
  });

  scene("has a light and a dark theme, and keeps the choice", async ({ hush, newTab }) => {
    const { page, journal } = await newTab();
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
    await open(page, hush, "silent-refresh.html");
    const dark = () => page.evaluate(() => document.documentElement.classList.contains("dark"));
    const shown = () => page.$$eval(".diagram", (all) => all.filter((one) => one.checkVisibility()).length);
    assert.deepEqual([await dark(), await shown()], [false, 1]);
    await page.click(".VPNavBarAppearance button");
    assert.deepEqual([await dark(), await shown()], [true, 1]);
    await page.reload();
    assert.deepEqual([await dark(), await shown()], [true, 1]);
    assert.deepEqual(journal.lines.filter(isProblem), []);
  });

  scene(
    "opens each page of the menu under its policy, and axe finds nothing on six of them",
    async ({ hush, newTab }) => {
      const { page, journal } = await newTab();
      await open(page, hush, "");
      const links = await page.$$eval(".VPSidebar a", (all) => all.map((link) => link.href.replace(/#.*/, "")));
      assert.ok(links.length > 15, `${links.length} links`);
      for (const address of new Set(links)) {
        await open(page, hush, new URL(address).pathname.slice("/docs/".length));
      }
      for (const name of [
        "",
        "start.html",
        "silent-refresh.html",
        "operations.html",
        "recipes/",
        "recipes/oidc-client-ts.html",
      ]) {
        await open(page, hush, name);
        assert.deepEqual(await findings(page), [], name);
      }
      assert.deepEqual(journal.lines.filter(isProblem), []);
    },
  );
});

/** Whether the browser refused something, or a script failed. @param {string} line */
const isProblem = (line) => /^console error|^page error|^request failed/.test(line);

/** Opens a page, and waits until its script runs. @param {Page} page @param {import("./harness/hush.js").Hush} hush @param {string} name */
async function open(page, hush, name) {
  await page.setViewport({ width: 1280, height: 900 });
  await page.goto(`${hush.app}/docs/${name}`, { waitUntil: "networkidle0" });
  await page.waitForFunction(() => "__vue_app__" in (document.querySelector("#app") ?? {}));
}
