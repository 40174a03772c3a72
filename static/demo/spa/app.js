// The single-page app: oidc-client-ts does the protocol, this file connects it with the page.

import { byId } from "../../shared/dom.js";
import { tellings } from "../../shared/renewal.js";
import { callApi, refusal } from "../lib/api.js";
import { appTimeline } from "../lib/apptimeline.js";
import { loadConfig } from "../lib/config.js";
import { watchFrames } from "../lib/frame.js";
import { decode } from "../lib/jwt.js";
import { judge, problemOf, reachable } from "../lib/problem.js";
import { Provider } from "../lib/provider.js";
import { tellApi, tellCallback, tellClock } from "../lib/reports.js";
import { createSteps } from "../lib/steps.js";
import { Verdict } from "../lib/verdict.js";
import { createView } from "../lib/view.js";
import { hiddenFrames } from "./hiddenframe.js";
import { LadderCard } from "./ladder.js";
import { settings } from "./settings.js";
import { Watch } from "./watch.js";

/** @typedef {import("oidc-client-ts").User} User */

class App {
  steps = createSteps(tellings.spa);
  signedIn = false;
  renewals = 0;
  signing = false; // a popup is open
  announce = false; // a renewal that somebody asked for is announced; an automatic one only shows

  /**
   * @param {typeof import("oidc-client-ts")} oidc
   * @param {import("../lib/config.js").Config} config
   * @param {ReturnType<typeof createView>} view
   */
  constructor(oidc, config, view) {
    this.config = config;
    this.view = view;
    this.provider = Provider.of(config.issuer);
    const { issuer, client_id: clientId } = config;
    this.verdict = new Verdict(view.say);
    const blame = (/** @type {import("../lib/timeline.js").Reasoned} */ reason) => this.verdict.blamed(reason);
    this.timeline = appTimeline(this.provider, { issuer, clientId, telling: tellings.spa, blame });
    this.watch = new Watch(this.steps, this.timeline, issuer, {
      begin: () => this.begin(),
      stuck: () => this.stuck(),
      page: (problem) => this.verdict.page(problem),
      answer: (answer) => void tellCallback(this.provider, answer),
    });
    const own = { ...settings(config), stateStore: this.watch.stateStore(oidc) };
    this.manager = new oidc.UserManager(own, undefined, undefined, hiddenFrames(oidc, issuer));
    this.ladder = new LadderCard(oidc, this.manager, {
      begin: () => this.step(),
      say: (problem) => {
        this.watch.failed(problem);
        this.view.say(problem);
      },
      failed: (error) => this.failed(error),
      renewedByToken: () => this.renewedByToken(),
    });
  }

  async start() {
    const { events } = this.manager;
    events.addUserLoaded((user) => void setTimeout(() => this.loaded(user))); // the library waits for its listeners
    events.addUserUnloaded(() => this.show(null));
    events.addSilentRenewError((error) => this.failed(error)); // no code awaits an automatic renewal
    events.addAccessTokenExpiring(() => this.expiring());
    this.connectButtons();
    this.show(await this.manager.getUser()); // stored in sessionStorage, so a reload loses nothing
    await this.arrive();
    this.view.ready();
  }

  connectButtons() {
    const { manager } = this;
    this.on("sign-in", () => manager.signinRedirect());
    this.on("sign-in-popup", () => {
      this.signing = true;
      return manager.signinPopup({ popupAbortOnClose: true });
    });
    this.on("sign-out", () => manager.signoutRedirect({ state: "signed out by the button" }));
    this.on("renew", () => this.renew());
    this.on("call-api", () => this.callByButton());
    const automatic = byId("automatic", HTMLInputElement);
    automatic.addEventListener("change", () => {
      if (automatic.checked) manager.startSilentRenew();
      else manager.stopSilentRenew();
    });
  }

  /**
   * @param {string} id of a button
   * @param {() => Promise<unknown>} act
   */
  on(id, act) {
    byId(id).addEventListener("click", () => {
      this.view.quiet();
      act().catch((error) => this.failed(error));
    });
  }

  expiring() {
    const text = "oidc-client-ts: accessTokenExpiring, so it renews";
    if (!this.watch.running) this.timeline.before({ step: 1, from: "app", to: "app", text });
  }

  begin() {
    this.verdict.begin();
    this.view.quiet();
  }

  stuck() {
    this.verdict.stuck();
    void this.sayIfDown();
  }

  /** A click begins a step of the ladder, which ends in a renewal. */
  step() {
    this.announce = true;
    this.view.quiet();
  }

  async renew() {
    this.announce = true;
    this.steps.look();
    if (this.watch.running) return this.view.say({ code: "renewing" }); // one at a time
    const byToken = (await this.manager.getUser())?.refresh_token !== undefined;
    await this.manager.signinSilent();
    if (byToken) this.renewedByToken();
  }

  /**
   * New tokens: from the popup, or from the hidden iframe. (After a redirect it is the callback page that hears this.)
   *
   * @param {User} user
   */
  loaded(user) {
    const renewed = this.signedIn;
    this.show(user);
    if (!this.watch.running) return this.loadedElsewhere(renewed);
    this.watch.succeeded(user);
    if (renewed) this.view.renewals(++this.renewals);
    const success = renewed ? "renewed" : "signed_in";
    tellClock(this.provider, decode(user.access_token)?.claims ?? {});
    void this.call(user.access_token, this.announce ? success : "");
    this.announce = false;
  }

  /** New tokens without an iframe: from a popup, from FedCM, or by a refresh token. @param {boolean} renewed */
  loadedElsewhere(renewed) {
    if (this.signing || !renewed) this.view.say({ code: "signed_in" });
    this.signing = false;
  }

  /** Somebody asked for a renewal, and it went by a refresh token. */
  renewedByToken() {
    this.announce = false;
    this.view.renewals(++this.renewals);
    this.view.say({ code: "renewed_by_token" });
  }

  /** @param {User | null} user */
  show(user) {
    this.signedIn = user !== null;
    this.view.session(user && sessionOf(user));
  }

  /** @param {unknown} thrown by oidc-client-ts */
  async failed(thrown) {
    this.announce = false;
    const problem = problemOf(thrown);
    void this.ladder.failed(thrown);
    this.watch.failed(problem);
    if (this.verdict.covers(problem)) return;
    this.view.say(await judge(problem, { issuer: this.config.issuer, wasSignedIn: this.signedIn }));
  }

  async callByButton() {
    this.steps.alone(4);
    await this.call((await this.manager.getUser())?.access_token, "api_ok");
  }

  /**
   * (4) The API, with the access token of this moment.
   *
   * @param {string | undefined} accessToken
   * @param {string} success the message's code when the API accepts; empty: no message
   */
  async call(accessToken, success) {
    const request = "GET /api/me";
    const text = `${request} ${accessToken ? "with the access token in Authorization" : "without a token"}`;
    this.steps.set(4, "active", text);
    this.timeline.add({ step: 4, from: "app", to: "api", text, request });
    const start = performance.now();
    try {
      const answer = await callApi(accessToken);
      this.called(accessToken, answer.status, performance.now() - start);
      const refused = refusal(answer);
      this.steps.set(4, refused ? "failed" : "done", `the API answered ${answer.status}`);
      this.view.api(answer);
      if (refused) this.view.say(refused);
      else if (success) this.view.say({ code: success });
    } catch {
      this.steps.set(4, "failed", "no answer");
      this.view.say({ code: "app_down" });
    }
  }

  /**
   * @param {string | undefined} accessToken
   * @param {number} status
   * @param {number} took milliseconds
   */
  called(accessToken, status, took) {
    const state = status < 400 ? "done" : "failed";
    this.timeline.add({ step: 4, from: "api", to: "app", text: `The API answered ${status}`, state, took });
    const jti = decode(accessToken ?? "")?.claims.jti;
    tellApi(this.provider, typeof jti === "string" ? jti : undefined, { status, took });
  }

  /** The reason why the page was loaded: the redirect after signing out, or an unreachable provider. */
  async arrive() {
    if (!new URLSearchParams(location.search).has("state")) return this.sayIfDown();
    await this.manager.signoutCallback().catch(() => undefined); // an unknown state: a bookmark; nothing to undo
    history.replaceState(null, "", location.pathname);
    return this.view.say({ code: "signed_out" });
  }

  /** Is the provider there at all? A stuck iframe is known long before the library's timer runs out. */
  async sayIfDown() {
    if (!(await reachable(this.config.issuer))) this.view.say({ code: "provider_down" });
  }
}

/**
 * @param {User} user
 * @returns {import("../lib/view.js").Session}
 */
function sessionOf(user) {
  const accessToken = decode(user.access_token);
  const { exp = 0, iat = 0 } = /** @type {{exp?: number, iat?: number}} */ (accessToken?.claims ?? {});
  return {
    name: user.profile.name ?? user.profile.sub,
    sub: user.profile.sub,
    expiresAt: user.expires_at ?? 0,
    lifetime: exp - iat || (user.expires_in ?? 0),
    idToken: decode(user.id_token ?? ""),
    accessToken,
  };
}

const config = await loadConfig();
const view = createView(config);
if (!globalThis.oidc) view.say({ code: "library_missing" });
else if (location.origin !== new URL(config.redirect_uri).origin) view.say({ code: "wrong_origin" });
else await new App(globalThis.oidc, config, view).start();
watchFrames();
