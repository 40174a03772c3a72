// What the browser of a page really sent, as the Network domain of its DevTools protocol reports it.

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("puppeteer-core").HTTPRequest} HTTPRequest */

/**
 * One request with its answer. bearer: it carried an access token; status 0: the browser got no answer that it may show;
 * location: where the answer leads; cookie: the session cookie of the provider was in it, unknown for frames of another process.
 * @typedef {{ cookie: boolean | undefined, request: string, params: URLSearchParams, bearer: boolean, status: number, location: URLSearchParams, body: string }} Sent
 */

/** The requests that belong to a renewal. Pages, scripts and the console do not. */
const paths = {
  issuer: new Set(["/authorize", "/token", "/userinfo", "/revoke"]),
  app: new Set(["/api/me", "/web/silent", "/web/silent/finish"]),
};

export class Network {
  /** @type {HTTPRequest[]} */
  #requests = [];
  /** @type {Map<string, string[]>} the header Cookie of each request; a redirect goes on under the same id */
  #cookies = new Map();
  #hush;

  /** @param {Page} page @param {import("./hush.js").Hush} hush */
  constructor(page, hush) {
    this.#hush = hush;
    page.on("request", (request) => this.#requests.push(request));
  }

  /** Begins to read a page. @param {Page} page @param {import("./hush.js").Hush} hush */
  static async of(page, hush) {
    const network = new Network(page, hush);
    const session = await page.createCDPSession();
    session.on("Network.requestWillBeSentExtraInfo", ({ requestId, headers }) => {
      network.#cookies.set(requestId, [...(network.#cookies.get(requestId) ?? []), headers.Cookie ?? ""]);
    });
    await session.send("Network.enable");
    return network;
  }

  /** What comes from now on belongs to the next action. */
  begin() {
    this.#requests = [];
  }

  /** The requests since begin() that belong to renewals, in order. @returns {Promise<Sent[]>} */
  sent() {
    const ours = this.#requests.filter((request) => this.#matters(request));
    const { issuer, app } = this.#hush;
    const pathOf = (/** @type {HTTPRequest} */ request) => pathBelow(issuer, request) || pathBelow(app, request);
    return Promise.all(ours.map((request) => sent(request, pathOf(request), this.#cookieOf(request))));
  }

  /** The same in words, such as "GET /authorize". */
  async requests() {
    return (await this.sent()).map(({ request }) => request);
  }

  /** Whether the session cookie was sent. @param {HTTPRequest} request */
  #cookieOf(request) {
    const { id = "" } = /** @type {{ id?: string }} */ (/** @type {unknown} */ (request)); // the requestId of the protocol
    const redirected = request.redirectChain(); // all requests of the chain but the last
    const place = redirected.includes(request) ? redirected.indexOf(request) : redirected.length;
    const cookies = this.#cookies.get(id)?.[place];
    return cookies === undefined ? undefined : /(^|; )hush-[0-9a-f]{8}(-lax)?=/.test(cookies);
  }

  /** @param {HTTPRequest} request */
  #matters(request) {
    if (request.method() === "OPTIONS") return false; // the browser asks whether the page may ask
    const { issuer, app } = this.#hush;
    return paths.issuer.has(pathBelow(issuer, request)) || paths.app.has(pathBelow(app, request));
  }
}

/** The path below an address, which may have a path itself; empty: it is elsewhere. @param {string} base @param {HTTPRequest} request */
function pathBelow(base, request) {
  const { origin, pathname } = new URL(request.url());
  const address = origin + pathname;
  return address.startsWith(`${base}/`) ? address.slice(base.length) : "";
}

/** @param {HTTPRequest} request @param {string} path @param {boolean | undefined} cookie @returns {Promise<Sent>} */
async function sent(request, path, cookie) {
  const { searchParams } = new URL(request.url());
  const form = request.method() === "POST" ? await request.fetchPostData().catch(() => "") : "";
  const response = request.response();
  const { location } = response?.headers() ?? {};
  return {
    cookie,
    request: `${request.method()} ${path}`,
    params: form ? new URLSearchParams(form) : searchParams,
    bearer: /^(Bearer|DPoP) /.test(request.headers().authorization ?? ""),
    status: response?.status() ?? 0,
    location: location ? new URL(location, request.url()).searchParams : new URLSearchParams(),
    body: path === "/token" ? ((await response?.text().catch(() => "")) ?? "") : "",
  };
}
