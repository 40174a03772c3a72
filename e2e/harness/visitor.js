// A person with a browser that has no scripts: it keeps cookies, follows redirects and fills in the provider's forms. For clients
// that run in Node, and for apps whose pages need no script.

/** How many pages and redirects one visit may take. It finds a loop. */
const mostForms = 12;

export class Visitor {
  /** @type {Map<string, string>} */
  #cookies = new Map();

  /**
   * @param {string} issuer
   * @param {string} name the user's, and the password
   * @param {string[]} apps origins of apps on the issuer's host, whose pages are visited too
   */
  constructor(issuer, name = "alice", apps = []) {
    this.issuer = issuer;
    this.name = name;
    this.origins = [issuer, ...apps];
  }

  /**
   * Opens an address of the provider or of an app and does what the provider's pages ask for, until the browser is sent elsewhere
   * or shows a page without a form to fill in.
   * @param {URL | string} address
   * @param {"allow" | "deny"} decision about consent
   * @returns {Promise<{ url: URL, page: string, status: number }>} where the browser is; elsewhere page is "" and status is 0
   */
  async visit(address, decision = "allow") {
    let answer = await this.#open(String(address));
    for (let i = 0; i < mostForms; i++) {
      const { url, page } = answer;
      const form = page === "" ? undefined : this.#filled(page, decision);
      if (form === undefined) return answer;
      answer = await this.#open(new URL(form.action, url).href, form.fields);
    }
    throw new Error(`the provider still wants something after ${mostForms} forms, now at ${answer.url}`);
  }

  /**
   * @param {string} address
   * @param {URLSearchParams} [body]
   * @returns {Promise<{ url: URL, page: string, status: number }>}
   */
  async #open(address, body) {
    let next = { address, body };
    for (let i = 0; i < mostForms; i++) {
      const url = new URL(next.address);
      if (!this.origins.includes(url.origin)) return { url, page: "", status: 0 };
      const answer = await this.#send(next.address, next.body);
      const location = answer.headers.get("location");
      if (location === null) return { url, page: await answer.text(), status: answer.status };
      next = { address: new URL(location, next.address).href, body: undefined };
    }
    throw new Error(`the browser is redirected without end, now to ${next.address}`);
  }

  /** @param {string} address @param {URLSearchParams | undefined} body */
  async #send(address, body) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const method = body === undefined ? "GET" : "POST";
    const answer = await fetch(address, { method, body: body ?? null, headers: { cookie }, redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) this.#keep(line);
    return answer;
  }

  /** @param {string} line of Set-Cookie */
  #keep(line) {
    const [name = "", value = ""] = (line.split(";")[0] ?? "").split(/=(.*)/s);
    if (/;\s*(max-age=0|expires=Thu, 01 Jan 1970)/i.test(line)) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }

  /**
   * The form that a person would fill in, if the page has one.
   * @param {string} page
   * @param {"allow" | "deny"} decision
   */
  #filled(page, decision) {
    const entries = { username: this.name, password: this.name };
    const buttons = ["csrfToken", "_csrf"]; // pages of Auth.js and of Spring Security that have only a button
    const wanted = [...Object.keys(entries), "decision", ...buttons];
    const form = forms(page).find(({ names }) => wanted.some((name) => names.has(name)));
    if (form === undefined) return undefined;
    const { action, fields, names } = form;
    if (buttons.some((name) => names.has(name))) return { action, fields };
    for (const [name, value] of Object.entries(names.has("username") ? entries : { decision })) fields.set(name, value);
    return { action, fields };
  }
}

/**
 * The forms of a page: where each goes, its hidden fields, and the names of all its fields.
 * @param {string} page
 */
function forms(page) {
  return [...page.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)].map(([, head = "", body = ""]) => {
    const fields = new URLSearchParams();
    for (const [tag] of body.matchAll(/<input\b[^>]*type="hidden"[^>]*>/g)) {
      fields.set(attribute(tag, "name"), attribute(tag, "value"));
    }
    const names = new Set([...body.matchAll(/\bname="([^"]*)"/g)].map(([, name = ""]) => name));
    return { action: attribute(head, "action"), fields, names };
  });
}

/** @param {string} tag @param {string} name */
function attribute(tag, name) {
  const [, text = ""] = new RegExp(`\\b${name}="([^"]*)"`).exec(tag) ?? [];
  return text.replaceAll(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code))).replaceAll("&amp;", "&");
}
