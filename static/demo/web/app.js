// The server-side app: its server holds the tokens and does the protocol (package rp); this page only shows what
// the server tells it, and opens the hidden iframe when it is time to renew.

import { byId } from "../../shared/dom.js";
import { tellings } from "../../shared/renewal.js";
import { refusal } from "../lib/api.js";
import { appTimeline } from "../lib/apptimeline.js";
import { loadConfig } from "../lib/config.js";
import { watchFrames } from "../lib/frame.js";
import { fromWire, judge, reachable } from "../lib/problem.js";
import { Provider } from "../lib/provider.js";
import { reasonIn } from "../lib/reason.js";
import { tellApi, tellCallback } from "../lib/reports.js";
import { createSteps } from "../lib/steps.js";
import { Verdict } from "../lib/verdict.js";
import { createView } from "../lib/view.js";
import { renewSilently } from "./renew.js";

const config = await loadConfig();
const view = createView(config);
const steps = createSteps(tellings.web);
const provider = Provider.of(config.issuer);
const verdict = new Verdict(view.say);
const timeline = appTimeline(provider, {
  issuer: config.issuer,
  clientId: "web",
  telling: tellings.web,
  blame: (reason) => verdict.blamed(reason),
});
const automatic = byId("automatic", HTMLInputElement);
let signedIn = false;
let renewing = false;
let announce = false; // a renewal that somebody asked for is announced; an automatic one only shows
let expiresIn = 0; // seconds, when the server was last asked
let nextRenewal = 0; // the timer's id
let jti = ""; // of the access token that the server keeps

/** Fetches the session of the user and shows it. */
async function refresh() {
  const session = await (await fetch("/web/session")).json();
  signedIn = session.signed_in;
  expiresIn = session.expires_in;
  jti = session.access_token?.claims.jti ?? "";
  view.session(signedIn ? shown(session) : null);
  view.renewals(session.renewals);
}

/**
 * @param {any} session as /web/session answers
 * @returns {import("../lib/view.js").Session}
 */
function shown(session) {
  return {
    name: session.name,
    sub: session.sub,
    // The server tells the seconds left, not a time of day: its clock may differ from this one.
    expiresAt: Date.now() / 1000 + session.expires_in,
    lifetime: session.lifetime,
    idToken: session.id_token,
    accessToken: session.access_token,
  };
}

/**
 * The next automatic renewal: a minute before the access token expires, but never in a tight loop, however short its
 * life. It is planned after a success only, so a failure is not repeated for ever.
 */
function plan() {
  clearTimeout(nextRenewal);
  if (!signedIn || !automatic.checked) return;
  nextRenewal = window.setTimeout(() => renew().catch(lost), Math.max(expiresIn - 60, 10) * 1000);
}

async function renewByButton() {
  announce = true;
  steps.look();
  if (renewing) view.say({ code: "renewing" });
  else await renew();
}

async function renew() {
  if (renewing) return; // one at a time
  renewing = true;
  verdict.begin();
  view.quiet();
  const { status, body, description } = await renewSilently({
    steps,
    timeline,
    issuer: config.issuer,
    stuck: () => verdict.stuck(),
    page: (problem) => verdict.page(problem),
    answer: (answer) => void tellCallback(provider, answer),
  }).finally(() => {
    renewing = false;
  });
  const asked = announce;
  const success = signedIn ? "renewed" : "signed_in";
  announce = false;
  if (status !== 200) return failed(body, reasonIn(description));
  steps.set(3, "done", "the server exchanged the code, checked the tokens and keeps them");
  timeline.add({
    step: 3,
    from: "server",
    to: "server",
    text: "The app's server checked the new tokens and keeps them",
  });
  timeline.end("done");
  await refresh();
  plan();
  return call(asked ? success : "");
}

/**
 * @param {{error?: string, error_description?: string}} answer
 * @param {string} [reason] the provider's code for it
 */
async function failed(answer, reason) {
  const wire = fromWire(answer);
  const problem = { ...wire, reason: reason ?? wire.reason };
  const wasSignedIn = signedIn;
  const open = /** @type {const} */ ([1, 3]).find((n) => steps.stateOf(n) === "active");
  if (open) steps.set(open, "failed", problem.description ?? problem.code);
  timeline.end("failed");
  await refresh(); // some errors end the session
  if (verdict.covers(problem)) return;
  const judged = await judge(problem, { issuer: config.issuer, wasSignedIn });
  byId("blocked").hidden = judged.code !== "cookie_withheld";
  view.say(judged);
}

/**
 * (4) The server calls the API: the access token never comes to this page.
 *
 * @param {string} success
 */
async function call(success) {
  steps.set(4, "active", "the server calls GET /api/me with its access token");
  const request = "GET /api/me";
  const text = `${request}, by the app's server, with its access token`;
  timeline.add({ step: 4, from: "server", to: "api", text, request });
  const start = performance.now();
  const response = await fetch("/web/call-api");
  const answer = await response.json();
  if (response.status !== 200) {
    steps.set(4, "failed", answer.error);
    return view.say(fromWire(answer));
  }
  const took = performance.now() - start;
  const refused = refusal(answer);
  timeline.add({
    step: 4,
    from: "api",
    to: "server",
    text: `The API answered ${answer.status}`,
    state: refused ? "failed" : "done",
    took,
  });
  tellApi(provider, jti, { status: answer.status, took });
  steps.set(4, refused ? "failed" : "done", `the API answered ${answer.status}`);
  view.api(answer);
  if (refused) return view.say(refused);
  return success && view.say({ code: success });
}

/** A fetch to this app's own server failed: only a server that is gone does that. */
function lost() {
  view.say({ code: "app_down" });
}

/**
 * @param {string} id of a button
 * @param {() => Promise<unknown>} act
 */
function on(id, act) {
  byId(id).addEventListener("click", () => {
    view.quiet();
    act().catch(lost);
  });
}

on("renew", renewByButton);
on("call-api", () => {
  steps.alone(4);
  return call("api_ok");
});
automatic.addEventListener("change", () => refresh().then(plan, lost));

// The reason why the page was loaded: an error of the callback, or the redirect after signing out.
const arrival = new URLSearchParams(location.search);
await refresh();
plan();
if (arrival.has("error"))
  view.say(fromWire(Object.fromEntries(arrival))); // of a redirect: no browser withholds the cookie there
else if (arrival.has("state")) view.say({ code: "signed_out" });
else if (location.origin !== new URL(config.redirect_uri).origin) view.say({ code: "wrong_origin" });
else if (!(await reachable(config.issuer))) view.say({ code: "provider_down" });
if (location.search) history.replaceState(null, "", location.pathname);
watchFrames();
view.ready();
