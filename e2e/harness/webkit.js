// WebKitGTK with Intelligent Tracking Prevention, driven by W3C WebDriver (https://www.w3.org/TR/webdriver2/). It needs a display:
// Xvfb is one in memory.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "../../scripts/port.js";
import { Program } from "../../scripts/program.js";

const run = promisify(execFile);

/** How long something that must happen may take, in milliseconds. It finds what never happens. */
const timeout = 30_000;

/** The name by which WebDriver marks an element in its JSON (§12.1). */
const elementKey = "element-6066-11e4-a52e-4f735466cecf";

const driverName = process.env.WEBKIT_DRIVER ?? "/usr/bin/WebKitWebDriver";

/** Why the tests cannot run here; undefined: they can. scripts/install.sh installs WebKitGTK on Debian. */
export const missing = existsSync(driverName)
  ? undefined
  : `there is no ${driverName}; Debian has it in webkit2gtk-driver`;

/** @typedef {{ newWindow: () => Promise<Window>, close: () => Promise<void> }} WebKit */

/** Starts Xvfb. Each window is a browser of its own with an empty profile and a driver. @returns {Promise<WebKit>} */
export async function openWebKit() {
  const xvfb = new Program("Xvfb", "/usr/bin/Xvfb", [
    ...["-displayfd", "1", "-nolisten", "tcp", "-screen", "0", "1024x768x24"],
  ]);
  try {
    const display = await displayOf(xvfb);
    return { newWindow: () => newWindow(display), close: () => xvfb.stop() };
  } catch (error) {
    await xvfb.stop();
    throw error;
  }
}

/** Sometimes the browser does not come to its driver; then another pair is started. @param {string} display */
async function newWindow(display) {
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    const env = { ...process.env, DISPLAY: display };
    const driver = new Program("WebKitWebDriver", driverName, [`--port=${port}`, "--host=127.0.0.1"], { env });
    try {
      const address = `http://127.0.0.1:${port}`;
      await driver.answers(`${address}/status`);
      return await Window.open(address, driver, display);
    } catch (error) {
      await driver.stop();
      if (tries === 3) throw error;
    }
  }
}

/** The number of the display, which Xvfb chooses and prints. @param {Program} xvfb */
async function displayOf(xvfb) {
  const deadline = AbortSignal.timeout(timeout);
  for (;;) {
    const number = /^\d+$/m.exec(xvfb.output)?.[0];
    if (number) return `:${number}`;
    if (deadline.aborted) throw new Error(`Xvfb names no display\n${xvfb.output}`);
    await pause(25);
  }
}

/** A window of the browser, and the session of the driver that it belongs to. */
export class Window {
  /** @param {string} session its address @param {Program} driver @param {string} display */
  constructor(session, driver, display) {
    this.session = session;
    this.driver = driver;
    this.display = display;
  }

  /** @param {string} address of the driver @param {Program} driver @param {string} display */
  static async open(address, driver, display) {
    const browser = { args: ["--automation", "--enable-itp"] };
    const alwaysMatch = { acceptInsecureCerts: true, "webkitgtk:browserOptions": browser };
    const { sessionId } = await command("POST", `${address}/session`, { capabilities: { alwaysMatch } });
    return new Window(`${address}/session/${sessionId}`, driver, display);
  }

  /** Ends the browser and its driver. */
  async close() {
    await command("DELETE", this.session).catch(() => undefined); // it may have ended
    await this.driver.stop();
  }

  /** @param {string} url */
  goto(url) {
    return command("POST", `${this.session}/url`, { url });
  }

  /** Runs the body of a function in the page. @param {string} script @returns {Promise<any>} */
  evaluate(script) {
    return command("POST", `${this.session}/execute/sync`, { script, args: [] });
  }

  /** Waits until an expression about the page is true. A page that is being replaced answers with an error. @param {string} expression */
  async until(expression) {
    const deadline = AbortSignal.timeout(timeout);
    for (;;) {
      const value = await this.evaluate(`return ${expression}`).catch(String);
      if (value && typeof value !== "string") return value;
      if (deadline.aborted) throw new Error(`never true: ${expression} (${value})\n${await this.words()}`);
      await pause(50);
    }
  }

  /** Clicks as soon as the element is there and can be used. @param {string} selector */
  async click(selector) {
    await this.until(`document.querySelector(${JSON.stringify(`${selector}:not([disabled])`)}) !== null`);
    await command("POST", `${this.session}/element/${(await this.#find(selector))[elementKey]}/click`, {});
  }

  /** Works in a frame from now on, until leaveFrame. It is scrolled to the middle, because the driver clicks beside it otherwise. @param {string} selector */
  async enterFrame(selector) {
    await this.until(`document.querySelector(${JSON.stringify(selector)}) !== null`);
    await this.evaluate(`document.querySelector(${JSON.stringify(selector)}).scrollIntoView({ block: "center" })`);
    await command("POST", `${this.session}/frame`, { id: await this.#find(selector) });
  }

  leaveFrame() {
    return command("POST", `${this.session}/frame`, { id: null });
  }

  /** What the page says. */
  words() {
    return this.evaluate("return document.body.innerText").catch(String);
  }

  /**
   * Answers the browser's own question, which WebDriver knows nothing of: it has two buttons at the right of the window's
   * top. It clicks again until the page has noticed the answer.
   * @param {"No" | "Yes"} answer
   * @param {() => Promise<unknown>} noticed
   */
  async answer(answer, noticed) {
    const env = { ...process.env, DISPLAY: this.display };
    const deadline = AbortSignal.timeout(timeout);
    while (!(await noticed())) {
      if (deadline.aborted) throw new Error(`the browser asks nothing\n${await this.words()}`);
      await run("xdotool", ["mousemove", answer === "Yes" ? "975" : "885", "79", "click", "1"], { env });
      for (let checks = 0; checks < 50 && !(await noticed()); checks++) await pause(100); // a second click hits the page
    }
  }

  /** @param {string} value a CSS selector */
  #find(value) {
    return command("POST", `${this.session}/element`, { using: "css selector", value });
  }
}

/** @param {string} method @param {string} address @param {object} [body] @returns {Promise<any>} */
async function command(method, address, body) {
  const signal = AbortSignal.timeout(timeout);
  const answer = await fetch(address, { method, body: body ? JSON.stringify(body) : null, signal });
  const { value } = await answer.json();
  if (!answer.ok) throw new Error(`${method} ${new URL(address).pathname}: ${value.error}: ${value.message}`);
  return value;
}
