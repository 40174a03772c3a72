// What one page did: read when a test fails, and to see what reached its hidden iframes.

/**
 * One answer to a navigation inside a frame that is not the page itself.
 * @typedef {{ url: string, status: number, location: URL | undefined }} FrameAnswer
 */

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

  /**
   * What the provider answered to hidden iframes, but for those by which the demo measures: these are pages by design.
   * @param {string} issuer
   */
  framesFrom(issuer) {
    const measures = ["/console/probe", "/storage_access"];
    return this.frameAnswers.filter(({ url }) => {
      const [address = ""] = url.split("?");
      return address.startsWith(`${issuer}/`) && !measures.some((path) => address === issuer + path);
    });
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
