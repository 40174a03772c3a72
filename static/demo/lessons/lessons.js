// The lessons: for each failure what really causes it, and what really repairs it. The words are on the page, under the
// same id (cmd/demo-app/texts.yaml).
//
// Some causes are faults of the provider's failure lab: the provider then behaves as one that is set up wrongly. Their cards
// say "simulated". Lesson 1 is real where the browser blocks the cookie. In lessons 4, 5, 6 and 9 the app is wrong, and
// this page is that app.

import { byId } from "../../shared/dom.js";
import { words } from "./card.js";
import { once, onceAfterOnce, twice } from "./double.js";

/** @typedef {import("../lib/stage.js").Stage} Stage */

/**
 * @typedef {object} Lesson
 * @property {(stage: Stage, choice: string) => Promise<unknown>} cause makes the failure happen; what it throws or returns is what the app's code got
 * @property {(stage: Stage, choice: string) => Promise<unknown>} fix repairs it, and renews to show that it works; throws if it does not work, may return what was seen
 * @property {number} [seconds] for which the cause watches, if it does not wait for an answer
 * @property {string} [client] whose renewal it is; default: spa
 * @property {string[]} [reasons] that show the failure too, besides the one on the page
 */

/** @type {Record<string, Lesson>} */
export const lessons = {
  1: blocked(),
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
    cause: (stage, choice) =>
      stage.renewAt(`/lessons/${choice === "codes" ? "codes" : "silent"}.html`, missing(choice)),
    async fix(stage, choice) {
      const renewed = stage.renewAt("/spa/callback.html", missing(choice));
      if (choice !== "codes") return renewed;
      const told = await renewed.then(() => "no error", words);
      if (!told.startsWith("ErrorResponse")) throw new Error(told);
      return `The app is told at once, and can open the sign-in page: ${told}`;
    },
  },
  7: {
    seconds: 8,
    async cause(stage) {
      await stage.fault({ client: "spa", fault: "short_lifetime", lifetime: "30s" });
      const times = await stage.renewAutomatically(8);
      return `no error. ${counted(times)} in 8 s, ${inSeconds(times)} after the start. Then this page stopped the library.`;
    },
    async fix(stage) {
      await stage.repair();
      const times = await stage.renewAutomatically(3);
      if (times.length > 1) throw new Error(`${counted(times)} in 3 s`);
      return `${counted(times)} at the start, and then no further renewal for 3 s.`;
    },
  },
  8: {
    async cause(stage, endpoint) {
      const client = endpoint === "discovery" ? {} : { client: "spa" }; // a request for the metadata names no client
      await stage.fault({ ...client, fault: "no_cors", endpoint });
      await stage.renew(asking(stage, endpoint));
    },
    async fix(stage, endpoint) {
      await stage.repair();
      await stage.renew(asking(stage, endpoint));
    },
  },
  9: { cause: (stage, choice) => (choice === "state" ? onceAfterOnce(stage) : twice(stage)), fix: once },
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

/** With max_age=0 the provider must ask for the password, so it answers login_required. @param {string} choice */
function missing(choice) {
  return choice === "codes" ? { max_age: 0 } : {};
}

/** Settings with which a renewal sends a request to the endpoint. @param {Stage} stage @param {string} endpoint */
function asking(stage, endpoint) {
  if (endpoint === "discovery") return { metadataUrl: stage.freshMetadata() };
  return { loadUserInfo: endpoint === "userinfo" };
}

/** @param {number[]} times */
function counted(times) {
  return times.length === 1 ? "1 renewal" : `${times.length} renewals`;
}

/** @param {number[]} times in milliseconds */
function inSeconds(times) {
  return times.map((time) => `${(time / 1000).toFixed(1)} s`).join(", ");
}

/**
 * The browser's own failure where it blocks the cookie, and its real repair. Elsewhere the fault of the provider.
 *
 * @returns {Lesson}
 */
function blocked() {
  const simulated = fault({ fault: "third_party_cookie_ignored" });
  let real = false;
  return {
    reasons: ["cookie.access_denied"],
    async cause(stage) {
      real = await isCookieWithheld();
      return real ? stage.renew() : simulated.cause(stage, "");
    },
    fix: (stage) => (real ? stage.giveCookie() : simulated.fix(stage, "")),
  };
}

/** Whether the browser keeps the provider's cookie from hidden iframes: the top of the page measures it. */
async function isCookieWithheld() {
  const { dataset } = byId("layout-measured");
  for (let checks = 0; !dataset.measured && checks < 50; checks++)
    await new Promise((resolve) => setTimeout(resolve, 100));
  return dataset.measured === "withheld" || dataset.measured === "absent";
}

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
