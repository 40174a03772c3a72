// The tests of each app that signs users in on its server. The app has these pages: / greets the user; /login, /renew and /logout
// do as their names say, and redirect to / at the end.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Visitor } from "../../harness/visitor.js";
import { sessions } from "./provider.js";

/** @typedef {import("../../harness/console.js").Console} Console */
/** @typedef {import("../../harness/console.js").Flow} Flow */

/**
 * An app and its provider, as the tests of a recipe see them.
 * @typedef {object} Recipe
 * @property {string} issuer
 * @property {string} origin of the app
 * @property {Console} console
 * @property {() => Promise<unknown>} stop ends both
 */

/**
 * The usual mistake of a recipe: a name for it, and the reason code by which the console shows it. Either make causes the mistake
 * while app and provider run, or start starts both with the mistake.
 * @typedef {{ is: string, reason: string, make?: (tools: Tools) => Promise<unknown>, start?: () => Promise<Recipe> }} Mistake
 */

/** @typedef {{ origin: string, console: Console, visitor: Visitor }} Tools */

/** The fault of the failure lab that makes each kind of renewal fail. */
const faults = { "refresh token": "refresh_revoked", redirect: "session_lost" };

/** @typedef {keyof typeof faults} Renewal */

/**
 * @param {string} name the recipe, and the client_id
 * @param {() => Promise<Recipe>} start
 * @param {object} how
 * @param {Mistake} how.mistake
 * @param {Renewal} [how.renewal]
 * @param {RegExp} [how.refusal] matches the page of the app after a renewal failed
 * @param {{ login?: string, renew?: string, logout?: string }} [how.paths] that differ from those above
 * @param {(console: Console) => Promise<unknown>} [how.makeDue] makes the tokens of the next sign-in due for renewal
 */
export function serverApp(name, start, how) {
  const { mistake, renewal = "refresh token", refusal = /invalid_grant|login_required/, paths = {}, makeDue } = how;
  const { login = "/login", renew = "/renew", logout = "/logout" } = paths;
  describe(name, () => {
    /** @type {Recipe} */
    let recipe;
    /** @type {Tools} */
    let tools;
    before(async () => {
      recipe = await start();
    });
    after(() => recipe?.stop());

    /** The page of the app at a path. @param {string} path */
    const open = (path) => tools.visitor.visit(tools.origin + path);

    /** Makes a visitor with no cookies. */
    function arrive({ issuer, origin, console } = recipe) {
      tools = { origin, console, visitor: new Visitor(issuer, "alice", [origin]) };
      return tools;
    }

    /** Opens the page that renews until isSo holds: the app's tokens may not be due for renewal yet. @param {(page: string) => unknown} isSo */
    async function renewUntil(isSo) {
      for (const deadline = AbortSignal.timeout(30_000); ; ) {
        const { page } = await open(renew);
        if (await isSo(page)) return;
        assert.ok(!deadline.aborted, `this page is not as expected: ${page}`);
      }
    }

    async function renewOnce() {
      await tools.console.do("DELETE", "/console/flows");
      await renewUntil(async (page) => {
        assert.match(page, /Alice Archer/);
        assert.doesNotMatch(page, /error/);
        return (await tools.console.flows()).some((flow) => isRenewal(flow, renewal));
      });
    }

    test("shows the name of the user who signed in, and no name before", async () => {
      arrive();
      assert.doesNotMatch((await open("/")).page, /Alice/);
      const { page, url } = await open(login);
      assert.match(page, /Hello, Alice Archer/);
      assert.equal(url.pathname, "/");
    });

    test(`renews by ${renewal} without a page of the provider`, async () => {
      const { console } = arrive();
      await makeDue?.(console);
      await open(login);
      await renewOnce();
      if (renewal === "redirect") return;
      await console.forward("15s"); // a refresh token that was replaced is of no use after this
      assert.match((await open("/")).page, /Alice/);
      await console.forward("15s");
      await renewOnce();
    });

    test("says so when a renewal fails, and has no name when nobody is signed in", async () => {
      const { console } = arrive();
      await console.reset();
      assert.doesNotMatch((await open(renew)).page, /Alice/);
      await makeDue?.(console);
      await open(login);
      await console.fault({ fault: faults[renewal], client: name });
      await renewUntil((page) => refusal.test(page));
    });

    test("signs in after the provider got new keys", async () => {
      const { console } = arrive();
      await console.reset();
      await console.do("POST", "/console/keys");
      assert.match((await open(login)).page, /Hello, Alice Archer/);
    });

    test("signs out of the provider too", async () => {
      const { console } = arrive();
      await open(login);
      const before = await sessions(console);
      assert.doesNotMatch((await open(logout)).page, /Alice/);
      assert.equal((await sessions(console)).length, before.length - 1);
    });

    test(`the usual mistake, ${mistake.is}, is ${mistake.reason} in the console`, async (t) => {
      const wrong = await mistake.start?.();
      t.after(() => wrong?.stop());
      const { console } = arrive(wrong);
      await console.reset();
      await mistake.make?.(tools);
      await open(login);
      const flow = await console.flowWith(mistake.reason);
      assert.equal(flow.client_id, name);
    });
  });
}

/** Whether a flow is a renewal that succeeded. @param {Flow} flow @param {Renewal} by */
function isRenewal(flow, by) {
  return flow.state === "done" && (by === "redirect" ? flow.silent : flow.begins === "token");
}
