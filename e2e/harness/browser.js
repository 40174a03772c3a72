// Chromium with a fresh profile, and a journal of what its pages did.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";

/** @typedef {"allowed" | "blocked"} ThirdPartyCookies */

/** How long the browser may take to obey one command, in milliseconds. It finds what hangs. */
const patience = 60_000;

const flags = [
  "--no-sandbox", // tests run as root in containers
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Starts Chromium: the program that CHROMIUM names, or Debian's.
 * @param {ThirdPartyCookies} thirdPartyCookies set explicitly, because Debian's default blocks
 * @param {string[]} [more] flags
 */
export async function openBrowser(thirdPartyCookies, more = []) {
  const profile = await mkdtemp(join(tmpdir(), "hush-chromium-"));
  await mkdir(join(profile, "Default"));
  const mode = thirdPartyCookies === "blocked" ? 1 : 0;
  await writeFile(join(profile, "Default", "Preferences"), JSON.stringify({ profile: { cookie_controls_mode: mode } }));
  const browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    userDataDir: profile,
    args: [...flags, ...more],
    protocolTimeout: patience,
  });
  const close = async () => {
    await browser.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 }); // Chromium's helpers may still write
  };
  return { browser, close };
}

/**
 * One answer to a navigation inside a frame that is not the page itself.
 * @typedef {{ url: string, status: number, location: URL | undefined }} FrameAnswer
 */

/** What one page did: read when a test fails, and to see what reached its hidden iframes. */
export class Journal {
  /** @type {string[]} */
  lines = [];
  /** @type {FrameAnswer[]} */
  frameAnswers = [];

  /** @param {import("puppeteer-core").Page} page */
  constructor(page) {
    page.on("console", (message) => this.lines.push(`console ${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => this.lines.push(`page error: ${error}`));
    page.on("requestfailed", (request) =>
      this.lines.push(`request failed: ${bare(request.url())} ${request.failure()?.errorText}`),
    );
    page.on("response", (response) => this.#note(page, response));
  }

  /** The answers that frames got from one origin. @param {string} origin */
  framesFrom(origin) {
    return this.frameAnswers.filter((answer) => answer.url.startsWith(`${origin}/`));
  }

  /**
   * @param {import("puppeteer-core").Page} page
   * @param {import("puppeteer-core").HTTPResponse} response
   */
  #note(page, response) {
    const request = response.request();
    if (!request.isNavigationRequest()) return;
    const target = response.headers().location;
    const location = target === undefined ? undefined : new URL(target, response.url());
    this.lines.push(`${response.status()} ${bare(response.url())}${location ? ` -> ${bare(location.href)}` : ""}`);
    if (request.frame() === page.mainFrame()) return;
    this.frameAnswers.push({ url: response.url(), status: response.status(), location });
  }
}

/** An address without its query: codes and tokens do not belong in a report. @param {string} address */
function bare(address) {
  const { origin, pathname, searchParams } = new URL(address);
  const error = searchParams.get("error");
  return origin + pathname + (error ? `?error=${error}` : "");
}
