// Silent renewal where the browser blocks third-party cookies. Copy this file into your app; it needs oidc-client-ts 3.5 and nothing else.
//
//   const manager = new UserManager(settings);
//   const ladder = new RenewalLadder(oidc, manager);
//   try {
//     await ladder.renew();                                  // by hidden iframe, or by refresh token if the user has one
//   } catch (error) {
//     if (error.step === undefined) throw error;             // another failure, as oidc-client-ts threw it
//     button.textContent = labels[error.step.rung];          // error.step.why says why
//     button.onclick = () => ladder.take(error.step.rung, document.querySelector("#frame"));
//   }
//
// The rungs, in this order. Each of the last four needs one click of the user, and is offered once a session if it fails:
//
//   iframe         signinSilent() as always. The iframe gets the attribute allow, so that a page of the provider can use FedCM's permission.
//   fedcm          one sign-in in the browser's own dialog. From then on the browser gives hidden iframes of the provider their cookie.
//   ask            a page of the provider in a visible frame, with one button: document.requestStorageAccess(). The same effect.
//   refresh_token  a sign-in in a window with scope offline_access. Later renewals are requests to /token, without any cookie.
//   redirect       the whole page goes to the provider with prompt=none and comes back: there the cookie is no third-party cookie.
//
// After fedcm or ask, renewals by iframe work without any change in oidc-client-ts, also the automatic ones.

/**
 * @typedef {"fedcm" | "ask" | "refresh_token" | "redirect"} ClickRung
 * @typedef {"iframe" | ClickRung | "sign_in"} Rung
 * @typedef {{rung: Rung, why: string}} Step why: in English, for developers
 * @typedef {{possible: boolean, why: string}} Capability
 * @typedef {"ready" | "granted" | "denied" | "unsupported" | "refused"} Access what the provider's page told; refused: it did not load
 * @typedef {import("oidc-client-ts").UserManager} UserManager
 * @typedef {import("oidc-client-ts").User} User
 * @typedef {import("oidc-client-ts").INavigator} INavigator
 * @typedef {{fedcm?: string, decided?: (step: Step) => void, renewed?: (user: User) => void}} Options
 *   fedcm: the address of the provider's FedCM configuration; "" for a provider without one
 *   decided: hears each decision; renewed: hears that the user gave access later, after they had refused at first
 */

/** @type {ClickRung[]} */
const order = ["fedcm", "ask", "refresh_token", "redirect"];

/** How long the message of a page may come after its load event, in milliseconds: they come by different ways. */
const grace = 1000;

/** The rungs that give hidden iframes the cookie. They cannot give one that is SameSite=Lax. @type {ClickRung[]} */
const forCookie = ["fedcm", "ask"];

const offers = {
  fedcm: "One sign-in in the browser's own dialog (FedCM) gives hidden iframes the cookie.",
  ask: "One click in a page of the provider (Storage Access API) gives hidden iframes the cookie.",
  refresh_token: "A refresh token renews without any cookie.",
  redirect: "The whole page can ask the provider and come back. The cookie is first-party there.",
};

/** A renewal that cannot go on without a click: step says with which button. */
export class StepNeeded extends Error {
  /** @param {Step} step @param {unknown} cause what failed */
  constructor(step, cause) {
    super(step.why, { cause });
    this.name = "StepNeeded";
    this.step = step;
  }
}

export class RenewalLadder {
  #manager;
  #byDialog;
  #options;
  #key;

  /**
   * @param {typeof import("oidc-client-ts")} oidc
   * @param {UserManager} manager
   * @param {Options} [options]
   */
  constructor(oidc, manager, options = {}) {
    const { authority, client_id: clientId } = manager.settings;
    this.#options = { fedcm: `${authority.replace(/\/$/, "")}/fedcm/config.json`, ...options };
    this.#manager = manager;
    this.#key = `renewal-ladder:${authority}:${clientId}`;
    // It shares the stores of the app's manager, and asks by FedCM where that one opens a window.
    const own = { ...manager.settings, automaticSilentRenew: false, monitorSession: false };
    this.#byDialog = new oidc.UserManager(own, undefined, fedcmNavigator(this.#options.fedcm));
    allowStorageAccess(authority);
  }

  /** Renews without a click, or throws StepNeeded if that takes one. @returns {Promise<User>} */
  async renew() {
    try {
      const byToken = (await this.#manager.getUser())?.refresh_token !== undefined;
      const user = await this.#manager.signinSilent();
      if (!user) throw new Error("oidc-client-ts gave no user");
      if (byToken) this.#decide({ rung: "refresh_token", why: "The user has a refresh token." });
      else this.#decide({ rung: "iframe", why: "The cookie came with the hidden iframe." });
      return user;
    } catch (error) {
      const step = await this.next(error);
      throw step ? new StepNeeded(step, error) : error;
    }
  }

  /**
   * The step after a failed renewal, for apps that call signinSilent() themselves or let oidc-client-ts renew; undefined if
   * the cookie was not the cause.
   *
   * @param {unknown} error as oidc-client-ts threw it
   * @returns {Promise<Step | undefined>}
   */
  next(error) {
    const reason = withheld(error);
    if (reason) this.#memory = { ...this.#memory, reason };
    return reason ? this.#nextAfter(`The hidden iframe got no cookie (${reason}).`) : Promise.resolve(undefined);
  }

  /** @param {string} because @returns {Promise<Step>} */
  async #nextAfter(because) {
    const can = await this.capabilities();
    const why = [because];
    for (const rung of order) {
      const against = can[rung].possible ? this.#against(rung) : can[rung].why;
      if (against) why.push(against);
      else return this.#decide({ rung, why: [...why, offers[rung]].join(" ") });
    }
    return this.#decide({ rung: "sign_in", why: [...why, "The user has to sign in again."].join(" ") });
  }

  /** Why a step that is possible would be in vain; empty: it may help. @param {ClickRung} rung */
  #against(rung) {
    const { answers = {}, reason } = this.#memory;
    if (reason === "cookie.samesite" && forCookie.includes(rung))
      return `${rung} cannot help: the cookie is SameSite=Lax.`;
    if (answers[rung] === "granted") return `${rung} was granted, but a later hidden iframe got no cookie.`;
    return answers[rung] ? `${rung} was answered with ${answers[rung]} in this session.` : "";
  }

  /**
   * Takes a step, as the answer to a click, and then renews.
   *
   * @param {ClickRung} rung
   * @param {Element} [container] where the provider's page is shown; needed for ask only
   * @returns {Promise<User>}
   */
  async take(rung, container = document.body) {
    const answer = await this.#act(rung, container);
    this.#note(rung, answer);
    if (answer === "granted") return this.renew();
    throw new StepNeeded(await this.#nextAfter("The hidden iframe gets no cookie."), new Error(answer));
  }

  /** @param {ClickRung} rung @param {Element} container @returns {Promise<string>} granted, or how it was refused */
  async #act(rung, container) {
    if (rung === "ask") return this.#ask(container);
    try {
      if (rung === "fedcm") await this.#manager.events.load(await this.#byDialog.signinPopup());
      if (rung === "refresh_token") {
        const scope = `${this.#manager.settings.scope} offline_access`;
        await this.#manager.signinPopup({ scope, popupAbortOnClose: true });
      }
      if (rung === "redirect") await this.#leave();
      return "granted";
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      return `${name} (${message})`;
    }
  }

  /** Leaves this page: comeBack() at the redirect_uri brings the user to it again. */
  async #leave() {
    await this.#manager.signinRedirect({ prompt: "none", state: { returnTo: location.href, ladder: this.#key } });
    return new Promise(() => undefined); // the page is unloaded
  }

  /** @param {Element} container @returns {Promise<Access>} */
  #ask(container) {
    return new Promise((resolve) => {
      const hear = (/** @type {Access} */ access) => {
        if (access !== "ready") resolve(access);
        if (access === "granted" && this.#memory.answers?.ask) void this.#grantedLater().catch(() => undefined); // decided has heard of it
      };
      void this.#page(container, { hear, hidden: false, allow: true });
    });
  }

  /** The user first refused and then allowed it, in the frame that is still there. */
  async #grantedLater() {
    this.#note("ask", "granted");
    this.#options.renewed?.(await this.renew());
  }

  /**
   * Measures whether the browser gives a hidden iframe the cookie without a click: by FedCM's permission or, with allow
   * false, by the user's own.
   *
   * @param {Element} container
   * @param {boolean} allow
   * @returns {Promise<Access>}
   */
  measure(container, allow) {
    return new Promise((resolve) => {
      const place = document.createElement("div");
      container.append(place);
      const hear = (/** @type {Access} */ access) => {
        place.remove();
        resolve(access);
      };
      void this.#page(place, { hear, hidden: true, allow });
    });
  }

  /**
   * @param {Element} container
   * @param {{hear: (access: Access) => void, hidden: boolean, allow: boolean}} how
   */
  async #page(container, { hear, hidden, allow }) {
    const { authority, client_id: clientId } = this.#manager.settings;
    const query = new URLSearchParams({ client_id: clientId, origin: location.origin });
    const frame = document.createElement("iframe");
    frame.title = "The provider asks the browser for access to its cookie";
    frame.hidden = hidden;
    if (allow) frame.allow = permission(authority);
    frame.src = `${await this.#askAddress()}?${query}`;
    let told = false;
    const over = new AbortController();
    const end = (/** @type {Access} */ access) => {
      if (access !== "ready" && access !== "denied") {
        over.abort();
        frame.remove();
      }
      hear(access);
    };
    window.addEventListener(
      "message",
      ({ source, origin, data }) => {
        if (source !== frame.contentWindow || origin !== new URL(authority).origin) return;
        if (data?.type !== "storage_access") return;
        told = true;
        frame.height = data.height;
        if (data.result !== "loaded") end(data.result);
      },
      { signal: over.signal },
    );
    // The page posts "loaded" at once. An error page may not be framed, so it posts nothing.
    const refused = () => void setTimeout(() => told || end("refused"), grace);
    frame.addEventListener("load", refused, { signal: over.signal });
    container.replaceChildren(frame);
  }

  /** What this browser and this provider can do. Nothing is asked of the user. @returns {Promise<Record<ClickRung, Capability>>} */
  async capabilities() {
    const metadata = await this.#manager.metadataService.getMetadata();
    const grants = metadata.grant_types_supported ?? ["authorization_code"];
    const offline = grants.includes("refresh_token") && metadata.scopes_supported?.includes("offline_access");
    return {
      fedcm: capability([
        ["IdentityCredential" in window, "This browser has no FedCM."],
        [this.#options.fedcm, "The provider has no FedCM."],
      ]),
      ask: capability([
        ["requestStorageAccess" in document, "This browser has no Storage Access API."],
        [await this.#askAddress(), "The provider has no page that asks for access to its cookie."],
      ]),
      refresh_token: capability([[offline, "The provider gives no refresh tokens."]]),
      redirect: capability([]),
    };
  }

  async #askAddress() {
    const metadata = await this.#manager.metadataService.getMetadata();
    return /** @type {{storage_access_endpoint?: string}} */ (metadata).storage_access_endpoint;
  }

  /** The last decision of this session. @returns {Step | undefined} */
  get decision() {
    return this.#memory.decision;
  }

  /** @param {Step} step */
  #decide(step) {
    this.#memory = { ...this.#memory, decision: step };
    this.#options.decided?.(step);
    return step;
  }

  /** @param {ClickRung} rung @param {string} answer in this session */
  #note(rung, answer) {
    this.#memory = { ...this.#memory, answers: { ...this.#memory.answers, [rung]: answer } };
  }

  /** @returns {{answers?: Partial<Record<ClickRung, string>>, decision?: Step, reason?: string}} reason: of the last failure */
  get #memory() {
    return read(this.#key);
  }

  set #memory(memory) {
    sessionStorage.setItem(this.#key, JSON.stringify(memory));
  }
}

/**
 * For the page at the redirect_uri, instead of signinCallback(): it also ends a redirect of the ladder that the provider
 * answered with an error.
 *
 * @param {UserManager} manager
 * @returns {Promise<{user?: User, page?: string}>} page: where a redirect of the ladder came from
 */
export async function comeBack(manager) {
  try {
    const user = (await manager.signinCallback()) ?? undefined;
    return { user, page: arrived(user?.state, undefined) };
  } catch (error) {
    const { state, error: code } = /** @type {Partial<import("oidc-client-ts").ErrorResponse>} */ (error);
    const page = arrived(state, code ?? "an error");
    if (!page) throw error;
    return { page };
  }
}

/**
 * Notes the end of a redirect of the ladder.
 *
 * @param {unknown} state of the redirect
 * @param {string | undefined} error of the answer
 */
function arrived(state, error) {
  const page = returnTo(state);
  if (!page) return undefined;
  const { ladder } = /** @type {{ladder: string}} */ (state);
  const memory = read(ladder);
  /** @type {Step} */
  const decision = error
    ? { rung: "sign_in", why: `The provider answered the redirect with ${error}. The user has to sign in again.` }
    : { rung: "redirect", why: "The whole page asked the provider with prompt=none, and came back with new tokens." };
  const answers = { ...memory.answers, redirect: error };
  sessionStorage.setItem(ladder, JSON.stringify({ answers, decision }));
  return page;
}

/** @param {unknown} state of the redirect @returns {string | undefined} a page of this origin */
function returnTo(state) {
  const page = /** @type {{returnTo?: string} | undefined} */ (state)?.returnTo;
  return page?.startsWith(`${location.origin}/`) ? page : undefined;
}

const read = (/** @type {string} */ key) => JSON.parse(sessionStorage.getItem(key) ?? "{}");

/** @param {[unknown, string][]} conditions what has to be there, and what its absence means @returns {Capability} */
function capability(conditions) {
  const [missing] = conditions.filter(([there]) => !there);
  return { possible: !missing, why: missing?.[1] ?? "" };
}

/**
 * Why the provider saw no cookie: its reason code at the end of error_description, or login_required from a provider that
 * has none. Empty: the failure has another cause.
 *
 * @param {unknown} thrown
 */
function withheld(thrown) {
  const { name, error, error_description: text } = /** @type {import("oidc-client-ts").ErrorResponse} */ (thrown);
  if (name !== "ErrorResponse" || error !== "login_required") return "";
  const reason = /\[([a-z]+\.[a-z_]+)\]$/.exec(text ?? "")?.[1] ?? error;
  return reason === error || reason.startsWith("cookie.") ? reason : "";
}

/** The value of an iframe's attribute allow. The origin must be named: the iframe of oidc-client-ts has no src. @param {string} authority */
export function permission(authority) {
  return `identity-credentials-get ${new URL(authority).origin}`;
}

/** Sets allow on each iframe that oidc-client-ts adds, before it goes to the provider. @param {string} authority */
function allowStorageAccess(authority) {
  const observer = new MutationObserver((records) => {
    for (const node of records.flatMap((record) => [...record.addedNodes])) {
      if (node instanceof HTMLIFrameElement && !node.hasAttribute("src")) node.allow = permission(authority);
    }
  });
  observer.observe(document.body, { childList: true });
}

/**
 * Signs in by FedCM where oidc-client-ts would open a window. The browser's dialog gives a code instead of a redirect; the
 * library then checks state and redeems the code as always. https://github.com/aaronpk/oauth-fedcm-profile
 *
 * @param {string} configURL
 * @returns {INavigator}
 */
function fedcmNavigator(configURL) {
  const navigate = async (/** @type {{url: string}} */ { url }) => {
    const { client_id: clientId, ...params } = Object.fromEntries(new URL(url).searchParams);
    const identity = {
      mode: navigator.userActivation?.isActive ? "active" : "passive", // active: also for users who are not signed in there
      providers: [{ configURL, clientId, params }],
    };
    const options = /** @type {CredentialRequestOptions} */ ({ identity });
    const credential = /** @type {{token?: string} | null} */ (await navigator.credentials.get(options));
    if (!credential?.token) throw new Error("the browser gave no code");
    const answer = new URLSearchParams({ code: credential.token, state: params.state ?? "" });
    return { url: `${params.redirect_uri}?${answer}` };
  };
  return { prepare: async () => ({ navigate, close: () => undefined }), callback: async () => undefined };
}
