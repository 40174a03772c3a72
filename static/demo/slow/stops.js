// What slow motion says at each stop of the renewal. A test checks that each line of code stands in the file that it names.

/** @typedef {import("./held.js").StopId} StopId */

/**
 * @typedef {object} Stop
 * @property {StopId | "start"} id
 * @property {1 | 2 | 3 | 4} [step]
 * @property {string} title
 * @property {string} text with code between backticks
 * @property {{ by: string, file?: string, lines: string[] }[]} code
 * @property {string} next what the button does
 */

const library = "vendor/oidc-client-ts.js";

/** @type {Stop} */
const start = {
  id: "start",
  title: "Before the renewal",
  text: "The access token of an app is valid for a short time. Before it expires, the app needs a new one, and the user should not see a sign-in page. So the app calls `signinSilent()` of the library oidc-client-ts. What follows is a real renewal. This page holds it where it can, until you press the button.",
  code: [{ by: "the app", lines: ["await userManager.signinSilent();"] }],
  next: "Call signinSilent()",
};

/** @type {Stop} */
const asks = {
  id: "1",
  step: 1,
  title: "The app is about to ask in a hidden iframe",
  text: "`signinSilent()` made the address below. `prompt=none` means: answer without showing a page. oidc-client-ts also made a secret, the `code_verifier`, and stored it in this browser. The address has only the hash of this secret, the `code_challenge`. This method is called PKCE. The hidden iframe is not in the page yet. The button adds it, and the browser opens the address in it.",
  code: [
    {
      by: "oidc-client-ts",
      file: library,
      lines: ['prompt: "none",', 'parsedUrl.searchParams.append("code_challenge", state.code_challenge);'],
    },
    {
      by: "hiddenframe.js, which makes the iframe in this demo",
      file: "spa/hiddenframe.js",
      lines: ["frame.hidden = true;", "frame.src = url;"],
    },
  ],
  next: "Open the hidden iframe",
};

/** @type {Stop} */
const validates = {
  id: "2",
  step: 2,
  title: "The provider validates its session cookie",
  text: "The browser added the session cookie of the provider to the request of the hidden iframe. The provider validated the cookie, so it knows the user without a page. It sent the iframe back to the app with a code (303 is a redirect). If nobody were signed in, it would send the error `login_required` instead of a code. A page cannot hold a request that the browser sends, so this has happened already. You read what was recorded.",
  code: [],
  next: "See how the iframe notifies its parent",
};

/** @type {Stop} */
const notifies = {
  id: "3a",
  step: 3,
  title: "The iframe notifies its parent window",
  text: "The hidden iframe is back on a page of the app. The script of that page sends its own address, with the code, to the parent window by `postMessage`. In your app, `signinCallback()` of oidc-client-ts does this. The message has arrived in the parent window, where this demo holds it. The button gives it to oidc-client-ts.",
  code: [
    {
      by: "spa/callback.js, in the iframe",
      file: "spa/callback.js",
      lines: ['window.parent.postMessage({ source: "oidc-client", url: location.href }, location.origin);'],
    },
    { by: "oidc-client-ts, signinCallback()", file: library, lines: ["parent.postMessage(msgData, targetOrigin);"] },
  ],
  next: "Give it to oidc-client-ts",
};

/** @type {Stop} */
const exchanges = {
  id: "3b",
  step: 3,
  title: "The parent exchanges the code for tokens",
  text: "The parent page has the code, and it has removed the iframe. A code alone is not enough. The page must prove that it began this renewal. So it sends the code together with the `code_verifier`, the secret that oidc-client-ts stored in step 1. (A server-side app also sends its client secret, a password of the app.) The button sends the request.",
  code: [
    { by: "oidc-client-ts", file: library, lines: ["code: response.code,", "code_verifier: state.code_verifier,"] },
  ],
  next: "Exchange the code",
};

/** @type {Stop} */
const receives = {
  id: "3c",
  step: 3,
  title: "The parent gets the tokens",
  text: "The provider made the hash of the `code_verifier` and compared it with the `code_challenge` of step 1. The two are equal, so it answered with two tokens. The ID token tells the app who the user is. The access token is for the API. oidc-client-ts stored both.",
  code: [
    {
      by: "oidc-client-ts",
      file: library,
      lines: ["const user = new User(signinResponse);", "await this.storeUser(user);"],
    },
  ],
  next: "Go on to the API",
};

/** @type {Stop} */
const calls = {
  id: "4",
  step: 4,
  title: "The app calls its API with the access token",
  text: "The app reads the new access token with `getUser()?.access_token` and sends it to its API in the header `Authorization: Bearer`. The API checks the token by itself: its signature, issuer, audience, expiry and scope. For that it needs only the public keys of the provider. The button sends the request.",
  code: [
    {
      by: "the app",
      lines: [
        "const token = (await userManager.getUser())?.access_token;",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a line of code to read
        'fetch("/api/me", { headers: { Authorization: `Bearer ${token}` } });',
      ],
    },
  ],
  next: "Call the API",
};

/** @type {Stop} */
const end = {
  id: "end",
  title: "Renewed: the user saw nothing",
  text: "The API accepted the new access token. These were the four steps. 1: the app asked in a hidden iframe. 2: the provider validated its session cookie and sent a code. 3: the iframe notified its parent, and the parent exchanged the code for tokens. 4: the app called its API.",
  code: [],
  next: "Show the recording again",
};

/** The path of a renewal that succeeds. @type {Stop[]} */
export const stops = [start, asks, validates, notifies, exchanges, receives, calls, end];

/** The path of a renewal that the provider refuses: there is no code, so nothing is exchanged. @type {Stop[]} */
export const refused = [
  start,
  asks,
  {
    ...validates,
    title: "The provider answers with an error",
    text: "The provider found no session of a user for this request, or it may not answer without a page. `prompt=none` forbids a page, so it sent the iframe back to the app with an error. The checks below say which one failed. A page cannot hold a request that the browser sends, so this has happened already. You read what was recorded.",
  },
  {
    ...notifies,
    text: "The hidden iframe is back on a page of the app. The script of that page sends its own address, with the error, to the parent window by `postMessage`. In your app, `signinCallback()` of oidc-client-ts does this. The message has arrived in the parent window, where this demo holds it. The button gives it to oidc-client-ts.",
  },
  {
    id: "failed",
    step: 3,
    title: "signinSilent() failed",
    text: "There is no code to exchange, so there are no new tokens. `signinSilent()` throws the error of the provider. The app must now show a sign-in, by `signinRedirect()` or `signinPopup()`.",
    code: [],
    next: "Show the recording again",
  },
];
