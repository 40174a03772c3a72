// The lessons: for each failure what really causes it, and what really repairs it. The words are on the page, under the
// same id (cmd/demo-app/texts.yaml).
//
// Most causes are faults that the provider is asked to have: it then behaves as one that is set up wrongly, or as if the
// browser withheld something. Lessons 4, 5, 6 and 9 need no such help: there the app is wrong, and this page is that app.

import { once, twice } from "./double.js";

/** @typedef {import("../lib/stage.js").Stage} Stage */

/**
 * @typedef {object} Lesson
 * @property {(stage: Stage) => Promise<unknown>} cause makes the failure happen; what it throws, or gives, is what the app was told
 * @property {(stage: Stage) => Promise<unknown>} fix repairs it, and renews to show that it works; throws if it does not
 * @property {string} [client] whose renewal it is; default: spa
 */

/** @type {Record<string, Lesson>} */
export const lessons = {
  1: fault({ fault: "third_party_cookie_ignored" }),
  2: fault({ fault: "cookie_samesite_lax" }),
  3: fault({ fault: "frame_options" }),
  4: {
    async cause(stage) {
      await stage.unregister("/lessons/callback.html");
      await stage.renew({ silent_redirect_uri: stage.at("/lessons/callback.html") });
    },
    async fix(stage) {
      await stage.register("/lessons/callback.html");
      await stage.renew({ silent_redirect_uri: stage.at("/lessons/callback.html") });
    },
  },
  5: {
    async cause(stage) {
      await stage.register("/lessons/app.html");
      await stage.renew({ silent_redirect_uri: stage.at("/lessons/app.html") });
    },
    fix: (stage) => stage.renew({ silent_redirect_uri: stage.at("/spa/callback.html") }),
  },
  6: {
    async cause(stage) {
      await stage.register("/lessons/silent.html");
      await stage.renew({ silent_redirect_uri: stage.at("/lessons/silent.html") });
    },
    fix: (stage) => stage.renew({ silent_redirect_uri: stage.at("/spa/callback.html") }),
  },
  7: {
    async cause(stage) {
      await stage.fault({ client: "spa", fault: "short_lifetime", lifetime: "30s" });
      await stage.renewAutomatically(8);
      return "nothing. Each renewal worked, and it renewed about once a second, until this page stopped it.";
    },
    async fix(stage) {
      await stage.repair();
      const renewals = await stage.renewAutomatically(3);
      if (renewals > 1) throw new Error(`it renewed ${renewals} times in three seconds`);
    },
  },
  8: fault({ endpoint: "token", fault: "no_cors" }),
  9: { cause: twice, fix: once },
  10: {
    client: "web",
    async cause(stage) {
      await stage.forward("10m");
      await stage.renewAtServer();
    },
    async fix(stage) {
      await stage.repair();
      await stage.renewAtServer();
    },
  },
  "10b": fault({ fault: "consent_withdrawn" }),
};

/**
 * A lesson that one fault of the provider causes, until it is taken away.
 *
 * @param {{fault: string, endpoint?: string}} wrong
 * @returns {Lesson}
 */
function fault(wrong) {
  return {
    async cause(stage) {
      await stage.fault({ client: "spa", ...wrong });
      await stage.renew();
    },
    async fix(stage) {
      await stage.repair();
      await stage.renew();
    },
  };
}
