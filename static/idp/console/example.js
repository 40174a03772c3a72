// What the diagram shows before anything happened: a silent renewal as it should be. Nothing of it was seen.

const at = "1970-01-01T00:00:00Z";

/** @type {[number, import("../../shared/diagram.js").Lane, import("../../shared/diagram.js").Lane, string, string][]} */
const messages = [
  [
    1,
    "app",
    "iframe",
    "opens a hidden iframe",
    "Nobody sees it. A person who is signed in would hate to see a sign-in page every few minutes.",
  ],
  [
    1,
    "iframe",
    "provider",
    "GET /authorize?prompt=none, and the session cookie",
    "An ordinary authorization request, and prompt=none: answer at once, show no page. The browser adds the provider’s session cookie, unless it blocks cookies of third parties.",
  ],
  [
    2,
    "provider",
    "iframe",
    "303 back to the app’s redirect_uri, with a code",
    "The provider found the session, checked the request and issued a code that is good once and for 60 seconds. Otherwise the same redirect carries an error, such as login_required.",
  ],
  [
    3,
    "iframe",
    "app",
    "hands the code over",
    "The iframe now shows a page of the app’s own origin. It posts the answer to the app and is removed.",
  ],
  [
    3,
    "app",
    "provider",
    "POST /token: code and code_verifier",
    "The code_verifier proves that who redeems the code is who asked for it (PKCE). A server-side app sends its client_secret too.",
  ],
  [
    3,
    "provider",
    "app",
    "new ID token and access token",
    "Both are signed. The app checks the ID token: is it about the same person?",
  ],
  [
    4,
    "app",
    "api",
    "GET /api/me, with the access token",
    "In the header Authorization: Bearer. The provider is not asked.",
  ],
  [4, "api", "app", "200", "The API verified the token with the provider’s public keys, which it fetched before."],
];

/** @type {import("../../shared/diagram.js").Flow} */
export const example = {
  id: "example",
  issuer: "",
  silent: true,
  state: "open",
  at,
  messages: messages.map(([step, from, to, text, about]) => ({ step, from, to, text, about, state: "unseen", at: "" })),
};
