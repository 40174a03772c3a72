// Chromium and Firefox with fresh profiles.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";

/** @typedef {"chromium" | "firefox"} BrowserName */

/**
 * What a browser does with the provider's cookie in another site's iframe. Both know the first two, Firefox all four:
 *   allowed  sends it                              refused  does not, and says nothing in Sec-Fetch-Storage-Access
 *   blocked  does not, and says "none"             granted  sends it after the visit that a sign-in by redirect is
 * @typedef {"allowed" | "blocked" | "refused" | "granted"} ThirdPartyCookies
 */

/** A browser and how to end it. @typedef {{ browser: import("puppeteer-core").Browser, close: () => Promise<void> }} Opened */

/** How long the browser may take for one command, in milliseconds. It finds what hangs. */
const commandTimeout = 60_000;

const flags = [
  "--no-sandbox", // tests run as root in containers
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Two pages of the address bar, which no test sees: they took half of the time of a processor that the tests take.
  "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",
];

/** Chromium's profile.cookie_controls_mode: its words for the two policies that it has. */
const controlsMode = new Map([
  ["allowed", 0],
  ["blocked", 1],
]);

/** What changes Firefox's default, which is granted. */
const prefs = {
  allowed: { "network.cookie.cookieBehavior": 0 },
  blocked: { "privacy.restrict3rdpartystorage.heuristic.navigation": false }, // a visit grants nothing
  refused: { "network.cookie.cookieBehavior": 1 },
  granted: {},
};

/**
 * Starts a browser. The cookie policy is always set, because defaults differ: Debian's Chromium blocks.
 * @param {BrowserName} name
 * @param {ThirdPartyCookies} thirdPartyCookies
 * @returns {Promise<Opened>}
 */
export function openBrowser(name, thirdPartyCookies) {
  return name === "firefox" ? openFirefox(thirdPartyCookies) : openChromium(thirdPartyCookies);
}

/**
 * The flag by which Chromium finds these addresses at ports of this machine.
 * @param {Record<string, number>} ports by the host and port of the address
 */
export function mapped(ports) {
  const rules = Object.entries(ports).map(([address, port]) => `MAP ${address} 127.0.0.1:${port}`);
  return `--host-resolver-rules=${rules.join(", ")}`;
}

/**
 * Starts Chromium: the program that CHROMIUM names, or Debian's.
 * @param {ThirdPartyCookies} thirdPartyCookies
 * @param {string[]} [more] flags
 * @returns {Promise<Opened>}
 */
export async function openChromium(thirdPartyCookies, more = []) {
  const mode = controlsMode.get(thirdPartyCookies);
  if (mode === undefined) throw new Error(`Chromium does not know third-party cookies ${thirdPartyCookies}`);
  const profile = await mkdtemp(join(tmpdir(), "hush-chromium-"));
  await mkdir(join(profile, "Default"));
  await writeFile(join(profile, "Default", "Preferences"), JSON.stringify({ profile: { cookie_controls_mode: mode } }));
  const browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    userDataDir: profile,
    args: [...flags, ...more],
    protocolTimeout: commandTimeout,
  });
  const close = async () => {
    await browser.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 }); // Chromium's helpers may still write
  };
  return { browser, close };
}

/**
 * Starts Firefox, driven by WebDriver BiDi: the program that FIREFOX names, or Debian's. Puppeteer makes its profile.
 * @param {ThirdPartyCookies} thirdPartyCookies
 * @returns {Promise<Opened>}
 */
async function openFirefox(thirdPartyCookies) {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
    extraPrefsFirefox: prefs[thirdPartyCookies],
    protocolTimeout: commandTimeout,
  });
  return { browser, close: () => browser.close() };
}
