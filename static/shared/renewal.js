// A silent renewal, told in one place: its lanes, its four steps, and the messages of each step. The demo makes its
// picture, its list of steps, slow motion and its timelines of these lists, and the console makes its diagrams of them.

/** @typedef {"app" | "iframe" | "browser" | "server" | "provider" | "api"} Lane */
/** @typedef {1 | 2 | 3 | 4} Step */
/** @typedef {"idle" | "active" | "done" | "failed"} StepState */

/**
 * One message of the picture.
 *
 * @typedef {object} Hop
 * @property {string} id as the picture numbers it
 * @property {Step} step
 * @property {Lane[]} path the lanes that it passes through
 * @property {string} text
 * @property {string} [refused] the text when the provider sent an error instead of a code
 * @property {"first" | "last"} [place] first: it was sent when its step begins; last: it is sent when its step ends
 * @property {boolean} [cookie] the browser may add the provider's session cookie
 */

/**
 * @typedef {object} Telling
 * @property {[Lane, string][]} lanes from left to right
 * @property {{ [step: number]: [string, string] }} steps what happens, and how
 * @property {Hop[]} hops in the order of time
 */

/** @type {[Lane, string]} */
const iframe = ["iframe", "Hidden iframe"];
/** @type {[Lane, string][]} */
const others = [
  ["provider", "Provider"],
  ["api", "API"],
];
/** @type {[string, string]} */
const validation = [
  "The provider validates its session cookie",
  "If a user is signed in, it redirects the iframe back to the app with a code. If not, it redirects it back with an error, such as login_required.",
];

/** A public client: oidc-client-ts in the browser. @type {Telling} */
const spa = {
  lanes: [["app", "App’s page"], iframe, ...others],
  steps: {
    1: [
      "The app asks in a hidden iframe",
      "signinSilent() opens the provider’s /authorize in a hidden iframe. prompt=none means: answer without showing a page. code_challenge is the hash of a secret, the code_verifier, which stays in the app (PKCE).",
    ],
    2: validation,
    3: [
      "The iframe notifies its parent, and the parent exchanges the code for tokens",
      "The callback page in the iframe passes the code to the page around it by postMessage, as signinCallback() does. The page posts code and code_verifier to /token and gets an ID token and an access token.",
    ],
    4: [
      "The app calls its API with the access token",
      "The app reads it by getUser()?.access_token and sends it as Bearer. The API checks signature, issuer, audience, expiry and scope.",
    ],
  },
  hops: [
    {
      id: "1",
      step: 1,
      path: ["app", "iframe", "provider"],
      text: "signinSilent() → /authorize?prompt=none&code_challenge",
      cookie: true,
    },
    { id: "2", step: 2, path: ["provider", "iframe"], text: "303 ?code", refused: "303 ?error" },
    {
      id: "3a",
      step: 3,
      path: ["iframe", "app"],
      text: "postMessage: code",
      refused: "postMessage: error",
      place: "first",
    },
    { id: "3b", step: 3, path: ["app", "provider"], text: "POST /token code + code_verifier" },
    { id: "3c", step: 3, path: ["provider", "app"], text: "ID token + access token", place: "last" },
    { id: "4", step: 4, path: ["app", "api"], text: "GET /api Bearer getUser()?.access_token" },
  ],
};

/** A confidential client: the app's server. @type {Telling} */
const web = {
  lanes: [["app", "App’s page"], iframe, ["server", "App’s server"], ...others],
  steps: {
    1: [
      "The app asks in a hidden iframe",
      "The page opens a hidden iframe on the app’s server, which redirects it to the provider’s /authorize, with prompt=none and code_challenge. The server cannot ask by itself: only the browser has the provider’s cookie.",
    ],
    2: validation,
    3: [
      "The iframe passes the code to the app’s server, which exchanges it for tokens",
      "The iframe sends it by a fetch, because browsers withhold the app’s cookies from a redirect of another site in an iframe. The server posts code, code_verifier and client secret to /token, and the iframe notifies its parent page.",
    ],
    4: [
      "The app’s server calls the API with the access token",
      "The access token never reaches the browser. The API checks signature, issuer, audience, expiry and scope.",
    ],
  },
  hops: [
    { id: "1a", step: 1, path: ["app", "iframe", "server"], text: "GET /web/silent" },
    {
      id: "1b",
      step: 1,
      path: ["iframe", "provider"],
      text: "303 → /authorize?prompt=none&code_challenge",
      cookie: true,
    },
    { id: "2", step: 2, path: ["provider", "iframe"], text: "303 ?code", refused: "303 ?error" },
    { id: "3a", step: 3, path: ["iframe", "server"], text: "fetch: code", refused: "fetch: error", place: "first" },
    { id: "3b", step: 3, path: ["server", "provider"], text: "POST /token code + code_verifier + client secret" },
    { id: "3c", step: 3, path: ["provider", "server"], text: "ID token + access token", place: "last" },
    { id: "3d", step: 3, path: ["iframe", "app"], text: "postMessage: renewed", place: "last" },
    { id: "4", step: 4, path: ["server", "api"], text: "GET /api Bearer" },
  ],
};

/** Any client, as the provider sees it. @type {Omit<Telling, "hops">} */
const any = {
  lanes: [["app", "App"], iframe, ...others],
  steps: {
    1: [
      "The app asks in a hidden iframe",
      "It opens the provider’s /authorize with prompt=none, which means: answer without showing a page.",
    ],
    2: validation,
    3: [
      "The iframe notifies its parent, and the app exchanges the code for tokens",
      "The app posts the code to /token, with the proof that the code is its own.",
    ],
    4: ["The app calls its API with the access token", "The API checks signature, issuer, audience and expiry."],
  },
};

/** The same steps when the user sees the provider. @type {Omit<Telling, "hops">} */
const visible = {
  lanes: [["app", "App"], ["browser", "Browser"], ...others],
  steps: {
    1: ["The app sends the browser to the provider", "It opens /authorize in the window that the user sees."],
    2: [
      "The provider identifies the user",
      "By its session cookie or by a sign-in page. Then it redirects the browser back with a code.",
    ],
    3: ["The app exchanges the code for tokens", any.steps[3]?.[1] ?? ""],
    4: any.steps[4] ?? ["", ""],
  },
};

export const tellings = { spa, web, any, visible };
