// Every reason code, provoked in a real browser: what a client reads in the answer, and which steps the console shows.

import assert from "node:assert/strict";
import { thirdParty } from "./harness/clients.js";
import { Console } from "./harness/console.js";
import { crossSite, sameSite } from "./harness/hush.js";
import { openApp, signIn, signOutAtProvider, storedTokens } from "./harness/person.js";
import {
  absent,
  ask,
  assertExplained,
  codeFor,
  config,
  exchange,
  issued,
  needed,
  putToken,
  replay,
  signInByHand,
  told,
  useToken,
  wellFormed,
} from "./harness/refused.js";
import { askSilently, authorizeURL, inIframe, redeem } from "./harness/request.js";
import { scenes } from "./harness/story.js";

/** @type {import("./harness/refused.js").Row[]} */
const rows = [
  {
    reason: "session.none",
    when: "nobody is signed in",
    at: "authorize",
    steps: absent,
    cause: async ({ page, hush }) => {
      await openApp(page, hush, "spa");
      return ask(page, hush, {});
    },
  },
  ...[
    { reason: "session.idle", when: "three hours without a request, where two are the limit", time: "3h" },
    { reason: "session.expired", when: "a session older than its absolute lifetime of twelve hours", time: "13h" },
  ].map(({ reason, when, time }) => ({
    reason,
    when,
    at: "authorize",
    steps: absent,
    cause: async (/** @type {import("./harness/refused.js").Scene} */ { page, hush, console }) => {
      await signIn(page, hush, "spa");
      await console.forward(time);
      return ask(page, hush, {});
    },
  })),
  {
    reason: "session.signed_out",
    when: "the session was ended while the browser still had its cookie",
    at: "authorize",
    steps: absent,
    cause: async ({ page, hush, console }) => {
      await signIn(page, hush, "spa");
      for (const { id } of (await console.read("/console/sessions")).sessions) {
        await console.do("POST", `/console/sessions/${id}`, { do: "end" });
      }
      return ask(page, hush, {});
    },
  },
  {
    reason: "session.unknown",
    when: "the provider forgot the session",
    at: "authorize",
    steps: [...wellFormed, "fault noted", "session failed", "need failed", "error failed"],
    cause: async ({ page, hush, console }) => {
      await signIn(page, hush, "spa");
      await console.fault({ fault: "session_lost" });
      return ask(page, hush, {});
    },
  },
  {
    reason: "session.superseded",
    when: "the cookie from before somebody signed in again",
    at: "authorize",
    steps: absent,
    cause: async ({ page, hush, browser }) => {
      await signIn(page, hush, "spa");
      const old = await browser.cookies();
      await signInByHand(page, hush, { prompt: "login" }, "alice");
      await openApp(page, hush, "spa");
      await browser.setCookie(...old);
      return ask(page, hush, {});
    },
  },
  {
    reason: "session.cookie_unreadable",
    when: "a cookie that was changed",
    at: "authorize",
    steps: absent,
    cause: async ({ page, hush, browser }) => {
      await signIn(page, hush, "spa");
      const changed = (await browser.cookies()).map((cookie) => ({ ...cookie, value: `${cookie.value}x` }));
      await browser.setCookie(...changed);
      return ask(page, hush, {});
    },
  },
  {
    reason: "cookie.withheld_or_absent",
    when: "an iframe of another site whose cookie does not come (as the matrix has it, but caused by the failure lab)",
    at: "authorize",
    steps: [...wellFormed, "fault noted", "session failed", "need failed", "error failed"],
    cause: async ({ page, hush, console }) => {
      await signIn(page, hush, "spa");
      await console.fault({ fault: "third_party_cookie_ignored" });
      return ask(page, hush, {});
    },
  },
  {
    reason: "cookie.samesite",
    when: "a browser that took the Lax cookie only, and an iframe of another site",
    at: "authorize",
    steps: absent,
    cause: async ({ page, hush: programs, browser, console }) => {
      const hush = programs.at(crossSite);
      await signIn(page, hush, "spa");
      await browser.deleteCookie(...(await browser.cookies()).filter(({ sameSite }) => sameSite === "None"));
      await page.goto(authorizeURL(hush, {})); // a whole page: there Lax is enough
      await openApp(page, hush, "spa");
      await console.reset();
      return ask(page, hush, {});
    },
  },
  {
    reason: "session.too_old",
    when: "max_age=60, ten minutes after the sign-in",
    at: "authorize",
    steps: needed,
    cause: async ({ page, hush, console }) => {
      await signIn(page, hush, "spa");
      await console.forward("10m");
      return ask(page, hush, { max_age: "60" });
    },
  },
  {
    reason: "session.other_user",
    when: "the id_token_hint is alice's, and bob is signed in",
    at: "authorize",
    steps: needed,
    cause: async ({ page, hush }) => {
      await signIn(page, hush, "spa");
      const { id_token } = await storedTokens(page, hush);
      await signOutAtProvider(page, hush);
      await signInByHand(page, hush, { prompt: undefined }, "bob");
      await openApp(page, hush, "spa");
      return ask(page, hush, { id_token_hint: id_token });
    },
  },
  {
    reason: "hint.unreadable",
    when: "an id_token_hint that is no ID token",
    at: "authorize",
    steps: needed,
    cause: async ({ page, hush }) => {
      await signIn(page, hush, "spa");
      return ask(page, hush, { id_token_hint: "e30.e30.e30" });
    },
  },
  {
    reason: "consent.missing",
    when: "a client that is not first-party, and nobody was asked yet",
    at: "authorize",
    steps: [...wellFormed, "session ok", "consent noted", "need ok", "need failed", "error failed"],
    cause: async ({ page, hush }) => {
      await signIn(page, hush, "spa");
      return ask(page, hush, { client_id: thirdParty.client_id, redirect_uri: `${hush.app}/reading-club` });
    },
  },
  {
    reason: "account.ambiguous",
    when: "two accounts and no hint",
    at: "authorize",
    steps: needed,
    cause: async ({ page, hush }) => {
      await signIn(page, hush, "spa");
      await signInByHand(page, hush, { prompt: undefined, login_hint: "bob" }, "bob");
      await openApp(page, hush, "spa");
      return ask(page, hush, {});
    },
  },
  {
    reason: "request.malformed",
    when: "prompt=none beside another value",
    at: "authorize",
    steps: [...wellFormed, "rule failed", "error failed"],
    cause: async ({ page, hush }) => {
      await openApp(page, hush, "spa");
      return ask(page, hush, { prompt: "none login" });
    },
  },
  {
    reason: "pkce.missing",
    when: "a public client without code_challenge",
    at: "authorize",
    steps: [...wellFormed, "rule failed", "error failed"],
    cause: async ({ page, hush }) => {
      await openApp(page, hush, "spa");
      return ask(page, hush, { code_challenge: undefined, code_challenge_method: undefined });
    },
  },
  {
    reason: "client.unknown",
    when: "a client_id that nobody registered, in a hidden iframe: its parent is told",
    at: "authorize",
    steps: ["client failed", "error failed"],
    cause: async ({ page, hush }) => {
      await openApp(page, hush, "spa");
      return told(page, authorizeURL(hush, { client_id: "spaa" }));
    },
  },
  {
    reason: "redirect.unregistered",
    when: "a redirect_uri that is not the client's, in a hidden iframe: its parent is told",
    at: "authorize",
    steps: ["client ok", "redirect_uri failed", "error failed"],
    cause: async ({ page, hush }) => {
      await openApp(page, hush, "spa");
      return told(page, authorizeURL(hush, { redirect_uri: `${hush.app}/spa/silent.html` }));
    },
  },
  {
    reason: "page.in_iframe",
    when: "prompt=none is answered with a page",
    at: "authorize",
    steps: ["fault noted"],
    cause: async ({ page, hush, console }) => {
      await signIn(page, hush, "spa");
      await console.fault({ fault: "html_page" });
      await inIframe(page, authorizeURL(hush, {}));
    },
  },
  {
    reason: "callback.nested",
    when: "the callback page itself asks for authorization in an iframe",
    at: "authorize",
    steps: issued,
    cause: async ({ page, hush }) => {
      await signIn(page, hush, "spa");
      await page.goto(`${hush.app}/spa/callback.html`);
      await page.evaluate(
        (src) => {
          document.body.append(Object.assign(document.createElement("iframe"), { referrerPolicy: "unsafe-url", src }));
        },
        authorizeURL(hush, {}),
      );
    },
  },
  {
    reason: "callback.silent",
    when: "a code that nobody redeems",
    at: "authorize",
    steps: issued,
    cause: async ({ page, hush }) => {
      await signIn(page, hush, "spa");
      assert.ok((await askSilently(page, hush, {})).get("code"));
    },
  },
  {
    reason: "renewal.looping",
    when: "four renewals in a row",
    at: "authorize",
    steps: issued,
    cause: async ({ page, hush }) => {
      await signIn(page, hush, "spa");
      for (let count = 0; count < 4; count++) await askSilently(page, hush, {});
    },
  },
  {
    reason: "clock.skew",
    when: "the provider's clock is ten minutes ahead",
    at: "authorize",
    steps: issued,
    cause: async ({ page, hush, console }) => {
      await signIn(page, hush, "spa");
      await console.forward("10m");
      assert.ok((await askSilently(page, hush, {})).get("code"));
    },
  },
  {
    reason: "fault.injected",
    when: "the failure lab answers an error of its own",
    at: "authorize",
    steps: [...wellFormed, "fault noted", "error failed"],
    cause: async ({ page, hush, console }) => {
      await signIn(page, hush, "spa");
      await console.fault({ fault: "error", endpoint: "authorize", error: "temporarily_unavailable" });
      await askSilently(page, hush, {});
    },
  },
  {
    reason: "client.authentication",
    when: "a confidential client with a wrong secret",
    at: "token",
    steps: ["client failed", "error failed"],
    cause: ({ page, hush }) => exchange(page, hush, { client_id: "web", client_secret: "wrong", code: "x" }),
  },
  {
    reason: "code.unknown",
    when: "a code that was never issued",
    at: "token",
    steps: ["client ok", "code failed", "error failed"],
    cause: ({ page, hush }) => exchange(page, hush, { code: "x" }),
  },
  {
    reason: "code.foreign",
    when: "a code that was issued to another client",
    at: "token",
    steps: ["client ok", "code ok", "rule failed", "error failed"],
    cause: ({ page, hush }) => exchange(page, hush, { client_id: "hasty" }),
  },
  {
    reason: "pkce.mismatch",
    when: "another code_verifier",
    at: "token",
    steps: ["client ok", "code ok", "rule ok", "rule failed", "error failed"],
    cause: ({ page, hush }) => exchange(page, hush, { code_verifier: "v".repeat(43) }),
  },
  {
    reason: "code.expired",
    when: "a code two minutes old",
    at: "token",
    steps: ["client ok", "code ok", "rule ok", "rule failed", "error failed"],
    cause: async ({ page, hush, console }) => {
      const code = await codeFor(page, hush, {});
      await console.forward("2m");
      return (await redeem(page, hush, { code })).json;
    },
  },
  {
    reason: "code.replayed",
    when: "a code a second time, with the same code_verifier",
    at: "token",
    steps: ["client ok", "code failed", "error failed"],
    cause: ({ page, hush, console }) => replay(page, hush, console, {}, /same/),
  },
  {
    reason: "code.replayed",
    when: "a code a second time, with another code_verifier",
    at: "token",
    steps: ["client ok", "code failed", "error failed"],
    cause: ({ page, hush, console }) => replay(page, hush, console, { code_verifier: "v".repeat(43) }, /other/),
  },
  {
    reason: "token.short_lived",
    when: "a client whose tokens live for 30 seconds",
    at: "token",
    steps: ["client ok", "code ok", "rule ok", "token ok"],
    cause: async ({ page, hush }) => {
      const code = await codeFor(page, hush, { client_id: "hasty" });
      assert.equal((await redeem(page, hush, { client_id: "hasty", code })).status, 200);
    },
  },
  {
    reason: "origin.not_allowed",
    when: "a script of an origin that no client has",
    at: "token",
    steps: ["client ok", "code ok", "rule ok", "token ok", "cors failed"],
    cause: async ({ page, hush }) => {
      const code = await codeFor(page, hush, {});
      await page.goto(hush.app.replace("localhost", "other.localhost"));
      await assert.rejects(redeem(page, hush, { code }), /Failed to fetch/);
    },
  },
  {
    reason: "cors.method",
    when: "a script that sends PUT to the token endpoint",
    at: "token",
    steps: ["cors failed"],
    cause: ({ page, hush }) => putToken(page, hush),
  },
  {
    reason: "token.invalid",
    when: "an access token after its time",
    at: "userinfo",
    steps: ["userinfo failed", "error failed"],
    cause: async ({ page, hush, console }) => {
      await signIn(page, hush, "spa");
      const { access_token } = await storedTokens(page, hush);
      await console.forward("10m");
      await useToken(page, `${hush.issuer}/userinfo`, access_token);
    },
  },
];

scenes("the reason", { layout: sameSite, cookies: "allowed", config }, (scene) => {
  for (const row of rows) {
    scene(`${row.reason}: ${row.when}`, async ({ hush, browser, newTab }) => {
      const { page } = await newTab();
      const console = new Console(hush);
      await console.reset();
      await assertExplained(console, row, (await row.cause({ hush, page, console, browser })) ?? undefined);
    });
  }
});
