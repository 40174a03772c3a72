// What each outcome means and what to do about it, in words. The key is the message's data-code: an OAuth error
// code as the provider sent it, or a name of this demo for what no protocol message can say. Where the provider gives a
// reason code that has a text of its own, that is more exact and comes first.
// {issuer} and {app} stand for the two origins; {sites} says whether they "are different sites".

/**
 * @typedef {object} Text
 * @property {"good" | "info" | "warn" | "bad"} tone
 * @property {string} title
 * @property {string} text
 * @property {string[]} [todo]
 */

const note = "If this page still shows a name: the tokens that it has go on working until they expire.";
const otherWays = "{card} has the ways to renew in this browser, and measures those with an iframe.";
const oneSite =
  "Or serve both from one site, for example app.demo.localhost and idp.demo.localhost (the choice One site at the top of this page). Or allow third-party cookies in the browser's settings; that helps you, but it does not help the users of your app.";

/** @type {Record<string, Text>} */
export const texts = {
  // What went well
  signed_in: {
    tone: "good",
    title: "Signed in.",
    text: "The tokens below are fresh. They live for a short time only; renewal replaces them.",
  },
  renewed: {
    tone: "good",
    title: "Renewed without a page.",
    text: "The provider recognised its own cookie in the hidden iframe, so you saw nothing. The API was called with the new access token.",
  },
  renewed_by_token: {
    tone: "good",
    title: "Renewed by a refresh token.",
    text: "The app sent its refresh token to POST /token. No iframe and no cookie took part, so the steps below show nothing of it.",
  },
  renewing: {
    tone: "info",
    title: "A renewal is already running.",
    text: "Its result will appear here, at the latest after 10 seconds.",
  },
  api_ok: {
    tone: "good",
    title: "The API accepted the access token.",
    text: "It verified signature, issuer, audience, expiry and scope by itself.",
  },
  signed_out: {
    tone: "info",
    title: "Signed out.",
    text: "You are signed out here and at the provider. A silent renewal would now get the answer login_required. Try it.",
  },

  // OpenID Connect Core §3.1.2.6: the provider would have to show a page, and prompt=none forbids that
  login_required: {
    tone: "warn",
    title: "Nobody is signed in at the provider.",
    text: "The app asked with prompt=none, which means: answer without showing a page. Without a session the only answer is login_required.",
    todo: ["Sign in with the button. From then on silent renewal works as long as the provider's session lives.", note],
  },
  cookie_withheld: {
    tone: "warn",
    title: "Withheld or signed out: the provider did not see its session cookie.",
    text: "The provider answered login_required, because no session cookie came with the hidden iframe. The app ({app}) and the provider ({issuer}) {sites}. In an iframe of another site there are two possible causes: the browser withheld the cookie (third-party cookies are blocked), or nobody is signed in there. The answer is the same in both cases.",
    todo: [
      "How to tell: open {issuer} in a tab of its own. If it says that you are signed in, the cookie was withheld.",
      `If withheld: ${otherWays}`,
      oneSite,
      "If signed out: sign in again.",
      note,
    ],
  },
  // The same two answers, where the provider says why
  "session.expired": {
    tone: "warn",
    title: "The session at the provider has expired.",
    text: "A session ends some hours after the sign-in, even if it is in use. The provider still knew the user of this session. But under prompt=none it may not ask for the password, so the answer is login_required.",
    todo: ["Sign in with the button. That begins a new session.", note],
  },
  "session.idle": {
    tone: "warn",
    title: "The session at the provider was not used for too long.",
    text: "Every renewal counts as use, so no app renewed in this time. Perhaps the computer was asleep, or the tab was closed. Under prompt=none the provider may not ask for the password, so the answer is login_required.",
    todo: ["Sign in with the button. That begins a new session.", note],
  },
  "session.signed_out": {
    tone: "warn",
    title: "The session at the provider was ended.",
    text: "The person signed out in this app or in another one. This ends the session for all apps. Without a session the only answer to prompt=none is login_required.",
    todo: ["An app should now forget its tokens, too: sign out here, or sign in again.", note],
  },
  "session.other_user": {
    tone: "warn",
    title: "Somebody else is signed in at the provider now.",
    text: "The app asked to renew for the person it shows (id_token_hint), and the provider knows another one in this browser. It does not give one person the tokens of another, so the answer is login_required.",
    todo: ["Sign in with the button, to continue as one of the two.", note],
  },
  "session.too_old": {
    tone: "warn",
    title: "The sign-in at the provider is older than the app accepts.",
    text: "The app sent max_age. The session lives, but the person signed in longer ago than that, and under prompt=none the provider may not ask for the password.",
    todo: ["Sign in with the button: the provider asks for the password again.", note],
  },
  "cookie.access_denied": {
    tone: "warn",
    title: "The browser denied the hidden iframe access to the provider's session cookie.",
    text: "The app ({app}) and the provider ({issuer}) {sites}. No session cookie came with the hidden iframe. So the provider asked the browser for access to it, and the browser refused. The provider answered login_required. It cannot see whether you are still signed in there.",
    todo: [
      `To renew: ${otherWays}`,
      oneSite,
      "To see whether you are signed in, open {issuer} in a tab of its own. If you are not, sign in again.",
      note,
    ],
  },
  "cookie.samesite": {
    tone: "warn",
    title: "The provider says that its cookie is SameSite=Lax, so it does not reach an iframe of another site.",
    text: "The app ({app}) and the provider ({issuer}) {sites}. Browsers send a Lax cookie with a navigation of the whole window, but not to an iframe of another site. The browser's settings do not change that.",
    todo: ["The provider has to set it with SameSite=None; Secure, or both have to be served from one site.", note],
  },
  consent_required: {
    tone: "warn",
    title: "The provider must ask for your consent first.",
    text: "You are signed in there, but did not yet allow this app what it asks for. Under prompt=none no question may be shown, so the answer is consent_required.",
    todo: ["Sign in with the button: the provider then shows its consent page, once."],
  },
  account_selection_required: {
    tone: "warn",
    title: "The provider does not know which account to use.",
    text: "Several accounts are signed in there, and this request did not name one. Under prompt=none it may not ask.",
    todo: ["Sign in with the button and choose one. Renewals then name it by themselves, with id_token_hint."],
  },
  interaction_required: {
    tone: "warn",
    title: "The provider must show you a page first.",
    text: "Some step there needs a person, and prompt=none forbids showing it.",
    todo: ["Sign in with the button and follow the provider's page."],
  },
  access_denied: {
    tone: "warn",
    title: "The sign-in was cancelled or refused.",
    text: "The user cancelled, or a rule of the provider refused. The provider issued no token.",
    todo: ["Sign in again if that was not your intention."],
  },

  // What the provider could not tell us
  provider_down: {
    tone: "bad",
    title: "The provider cannot be reached.",
    text: "A request to {issuer} failed. It is not running, or it does not allow requests from this page's origin {app} (CORS); a browser does not say which.",
    todo: [
      "Start it: go run ./cmd/idp (make demo starts both).",
      "If it runs: open {issuer}/.well-known/openid-configuration in a tab. If that shows JSON, compare the registered redirect URIs with {app}: their origins are the ones allowed.",
      "Then try again here. Automatic renewal stops at such an error. The button Renew now starts it again.",
    ],
  },
  timeout: {
    tone: "bad",
    title: "No answer within 10 seconds.",
    text: "The provider is reachable, but the hidden iframe never came back to this app. Usually it stopped on a page that nobody can see: an error page or a sign-in page.",
    todo: [
      "Check that this app's redirect URI is registered at the provider exactly as it is sent: an unregistered one is answered by a page, never by a redirect.",
      "In the browser's developer tools, look at the last request inside the iframe and at the console.",
    ],
  },
  page_in_iframe: {
    tone: "bad",
    title: "The hidden iframe stopped on a page of the provider.",
    text: "A silent request may only be answered by a redirect back to this app. The user cannot see a page in a hidden iframe, so the app would wait until its timer ends.",
    todo: [
      "The reason below leads to what it means and what to do.",
      "The timeline shows the request and what was checked.",
    ],
  },
  popup_closed: {
    tone: "info",
    title: "The sign-in window was closed before it finished.",
    text: "Nothing has changed.",
    todo: ["Try again, or use Sign in, which needs no window."],
  },
  popup_blocked: {
    tone: "warn",
    title: "The browser blocked the sign-in window.",
    text: "The browser opens windows only after a click, and only if its settings allow it.",
    todo: ["Allow pop-up windows for {app}, or sign in on the page of the single-page app without a window."],
  },

  fedcm_refused: {
    tone: "warn",
    title: "The browser did not sign you in.",
    text: "Possible causes: a closed dialog, no signed-in user at the provider, or FedCM is switched off for this page.",
    todo: ["Sign in with the button, then try again. Or take the next step: the highlighted button below."],
  },
  ask_refused: {
    tone: "warn",
    title: "The browser gave no access to the cookie.",
    text: "The page of the provider asked, and the browser refused. It does not tell this page why.",
    todo: [
      "The provider's page below names the two usual reasons. You can open the provider there, and press the button again.",
      "Or take the next step: the highlighted button below.",
    ],
  },
  granted_in_vain: {
    tone: "warn",
    title: "The step succeeded, but the hidden iframe still gets no cookie.",
    text: "The browser gave access to one frame only, and not to the hidden iframe of a renewal. WebKit does so.",
    todo: ["Take the next step: the highlighted button below."],
  },
  refresh_token_refused: {
    tone: "warn",
    title: "No refresh token came.",
    text: "The sign-in in the window did not finish.",
    todo: ["Allow pop-up windows for {app}. Or take the next step: the highlighted button below."],
  },
  redirect_refused: {
    tone: "warn",
    title: "The page could not go to the provider.",
    text: "oidc-client-ts could not begin the redirect.",
    todo: ["Sign in with the button."],
  },
  no_refresh_token: {
    tone: "bad",
    title: "The sign-in brought no refresh token.",
    text: "This app asked for scope offline_access, and the provider did not give a refresh token.",
    todo: ["Look at the client's grant_types at the provider: refresh_token has to be one of them."],
  },

  // The API (RFC 6750 §3.1) and this app itself
  api_refused: {
    tone: "bad",
    title: "The API refused the request.",
    text: "The API answered, but it did not accept the request.",
    todo: [
      "Expired or missing token: renew or sign in, then call again.",
      "Anything else: compare the access token's iss, aud, exp and scope with what the API expects.",
    ],
  },
  app_down: {
    tone: "bad",
    title: "This app's own server cannot be reached.",
    text: "The page is still here, but {app} does not answer.",
    todo: ["Start it: go run ./cmd/demo-app (make demo starts both), then reload this page."],
  },
  no_session: {
    tone: "warn",
    title: "This app has no session for you.",
    text: "The app's server has no session for this browser. This is normal after a restart of the demo, because its sessions are in memory.",
    todo: ["Sign in."],
  },
  invalid_state: {
    tone: "bad",
    title: "This answer does not belong to a request of this browser.",
    text: "The state of the answer is unknown. Either the answer was used already (reload, back button), or the sign-in began at another address or in another browser. If this app accepted such an answer, another site could sign you in as another user.",
    todo: ["Go back to {app} and sign in again."],
  },
  issuer_mismatch: {
    tone: "bad",
    title: "The answer names another issuer than this app expects.",
    text: "This app accepts answers of the issuer {issuer} only, and compares each character. Otherwise one provider could answer in the name of another.",
    todo: ["Start both programs with the same --issuer."],
  },
  invalid_id_token: {
    tone: "bad",
    title: "The ID token was not accepted.",
    text: "It came from the provider, but broke a rule of OpenID Connect Core §3.1.3.7.",
    todo: ["Compare the clocks of both machines.", "Compare issuer and client_id of both configurations."],
  },
  sub_mismatch: {
    tone: "warn",
    title: "Somebody else is signed in at the provider now.",
    text: "A renewal must give tokens for the same person (sub), so this one was refused.",
    todo: ["Sign in again to continue as the other person."],
  },
  session_changed: {
    tone: "info",
    title: "The session changed while it was being renewed.",
    text: "Somebody signed in or out in another tab meanwhile, so the renewed tokens were thrown away.",
    todo: ["Renew again, if you are still signed in."],
  },
  console_closed: {
    tone: "warn",
    title: "The lessons need a provider in development mode.",
    text: "The lessons make the provider fail on purpose. The provider allows this only through its console. {issuer} is not running, or has no console for this page.",
    todo: ["Start it: go run ./cmd/idp (make demo starts both), without --dev=false."],
  },
  lesson_broken: {
    tone: "bad",
    title: "This lesson could not be given.",
    text: "The lesson has an error of its own. This is not the failure that the lesson shows. The report is below.",
    todo: ["Reload this page and try again."],
  },
  library_missing: {
    tone: "bad",
    title: "The library oidc-client-ts is missing.",
    text: "It comes from npm and is built into the demo program; this program was built without it.",
    todo: [
      "In the project's folder run: npm install",
      "Then start the demo again (go run ./cmd/demo-app, or make demo). The server-side app works without it.",
    ],
  },
  wrong_origin: {
    tone: "bad",
    title: "This page is open under another address than it is configured for.",
    text: "The provider will send its answer to {app}; a page of another origin could not receive it.",
    todo: ["Continue at {app}", "Or start the demo with --base-url set to the address you want."],
  },
  insecure_context: {
    tone: "bad",
    title: "The browser offers no cryptography at this address.",
    text: "PKCE needs SHA-256, which browsers offer only over https and on localhost.",
    todo: ["Use https, or a localhost address."],
  },
  other: {
    tone: "bad",
    title: "That did not work.",
    text: "The report is below.",
    todo: ["Try again. If it stays: the provider's log has a line for each refused request."],
  },
};

/**
 * @param {{code: string, reason?: string}} problem
 * @returns {Text}
 */
export function textFor({ code, reason = "" }) {
  const fallback = /** @type {Text} */ (texts.other);
  return known(reason) ?? known(code) ?? { ...fallback, title: `The answer was ${code}.` };
}

/** @param {string} code it comes from a URL, so it may be "constructor" */
function known(code) {
  return Object.hasOwn(texts, code) ? texts[code] : undefined;
}
