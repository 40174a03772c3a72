// The card of the demo about a browser that blocks the provider's cookie: what it says, and its buttons.

import { claims, says, text } from "./person.js";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("../../static/demo/lib/renewal-ladder.js").Rung} Rung */

/** Waits until the card recommends this step, and returns why. @param {Page} page @param {Rung} rung */
export async function recommends(page, rung) {
  await page.waitForSelector(`#ladder-why[data-rung="${rung}"]`);
  return text(page, "#ladder-why");
}

/** The table, measured. @param {Page} page */
export async function table(page) {
  await page.$eval("#ladder-rows", (rows) => rows.scrollIntoView({ block: "center" }));
  await page.waitForSelector("#ladder-rows [data-works]");
  return page.$$eval("#ladder-rows tr", (rows) => rows.map((row) => row.dataset.works));
}

/** Takes a step whose result is a renewal, and renews once more. @param {Page} page @param {string} button @param {string} code */
export async function climbs(page, button, code = "renewed") {
  await page.click(button);
  await says(page, code);
  const { jti } = await claims(page, "access-token");
  await page.click("#renew");
  await page.waitForFunction(
    (before) => !document.querySelector("#access-token")?.textContent?.includes(before),
    {},
    jti,
  );
  await says(page, code);
}

/** @param {Page} page */
export async function reload(page) {
  await page.reload();
  await page.waitForSelector("body[data-ready=true]");
}
