package reasons

import "github.com/hush-idp/hush/oidc"

var aboutSession = Group{
	Title: "The session and its cookie",
	Lead: "The hidden iframe brings the provider's cookie, the cookie opens the session, and the session says who is there. Each of " +
		"these can be missing. To the app nearly all of them are `login_required`.",
	Reasons: []Reason{
		{
			Code:  oidc.SessionNone,
			Title: "Nobody is signed in with this browser",
			Happened: "No session cookie of this provider came with the request, so it found nobody signed in. Under `prompt=none` the answer is " +
				"`login_required`; without it, the sign-in page.",
			HowWeKnow: "The request carries no cookie with this issuer's name, and nothing about it speaks for a cookie held back: it is a page of its " +
				"own or comes from an app on the same site, where browsers send every cookie even if they block third-party ones; or it comes from a " +
				"cross-site iframe whose `Sec-Fetch-Storage-Access: active` says that cookies are let through.",
			HowSure: "Certain that no cookie came, nearly certain that this browser has none. A browser too old to send `Sec-Fetch-Site` cannot be told " +
				"apart from a same-site request. A sign-out takes the cookie away, so afterwards the code is this one. And a cookie belongs to a " +
				"host: who signed in at `localhost` is not signed in at `127.0.0.1` or `idp.localhost`, nor in another browser profile.",
			WhatToDo: "Send the user through a sign-in: the same request without `prompt=none`, as a page and not in an iframe (oidc-client-ts: " +
				"`signinRedirect`). Do not repeat the silent request; its answer stays the same until somebody signs in. If somebody did sign in, compare " +
				"the provider's host in both requests.",
			Spec: []Link{core("3.1.2.3", "Authenticates"), coreAuthError, fetchMetadata},
		},
		{
			Code:  oidc.SessionExpired,
			Title: "The session has reached its absolute lifetime",
			Happened: "The cookie came and its session was found, but the first sign-in of that session is longer ago than `session.absolute` " +
				"allows (12 hours unless configured). Using a session does not prolong this limit.",
			HowWeKnow: "The session's record says when it began; that time plus the absolute lifetime has passed by the provider's clock.",
			HowSure: "Certain, by the provider's clock; if that was moved forward in the console, so was this moment. The cookie has the same limit, so " +
				"in real time a browser often drops it first, and then the code is `session.none`.",
			WhatToDo: "Send the user through a sign-in. If the limit comes too early for your users, raise `session.absolute`; an app cannot " +
				"prolong it.",
			Spec: []Link{core("3.1.2.3", "Authenticates")},
		},
		{
			Code:  oidc.SessionIdle,
			Title: "The session was not used for too long",
			Happened: "The cookie came and its session was found, but nothing used that session for as long as `session.idle` says (2 hours unless " +
				"configured). Every app that renews silently uses it; a closed laptop does not.",
			HowWeKnow: "The session's record says when it was last seen; that time plus the idle lifetime has passed by the provider's clock.",
			HowSure: "Certain, with one coarseness: use is written down only once in a tenth of the idle lifetime, so a session may end up to that much " +
				"sooner after its last use. If the provider's clock was moved forward in the console, so was this moment.",
			WhatToDo: "Send the user through a sign-in. If your tokens live longer than the idle lifetime, no renewal keeps the session alive: shorten " +
				"the tokens or raise `session.idle`.",
			Spec: []Link{core("3.1.2.3", "Authenticates")},
		},
		{
			Code:  oidc.SessionSignedOut,
			Title: "The session was signed out",
			Happened: "The cookie came and is genuine, but its session was ended on purpose before its time: by a sign-out that did not pass through this " +
				"browser, by an app that logged the user out with an `id_token_hint`, or in the console.",
			HowWeKnow: "Of a session that is signed out a small record stays, without the accounts: it says that there was one, and when it ended.",
			HowSure: "Certain that it was ended; who did it is not written down. A sign-out in this very browser also removes the cookie, and then " +
				"the code is `session.none`.",
			WhatToDo: "Take it as the user's wish: drop the app's tokens and its own session, and show that the user is signed out. Offer a sign-in; do " +
				"not begin one by yourself.",
			Spec: []Link{{Text: "OpenID Connect RP-Initiated Logout 1.0", URL: "https://openid.net/specs/openid-connect-rpinitiated-1_0.html"}},
		},
		{
			Code:  oidc.SessionUnknown,
			Title: "The cookie names no session",
			Happened: "The cookie came and its signature is right, but the store has no record under its id: the provider was restarted and kept " +
				"its sessions in memory, or the session ended so long ago that its record is gone too.",
			HowWeKnow: "The cookie is signed with one of this provider's cookie keys, so it was made here; reading the session found nothing.",
			HowSure: "Certain that there is no such session, and that there was one. Which of the two causes it was is a guess; a restart is likely if " +
				"`cookie_keys` are configured and several users report it at the same time.",
			WhatToDo: "Send the user through a sign-in. The cookie is replaced then; nothing needs to be cleared by hand.",
			Spec:     []Link{core("3.1.2.3", "Authenticates")},
		},
		{
			Code:  oidc.SessionSuperseded,
			Title: "The cookie is an older one of this session",
			Happened: "The session exists, but somebody has signed in to it since this cookie was set, and each sign-in gives the browser a new secret. The " +
				"old cookie opens nothing any more: that protects a user whose cookie was planted or copied before the sign-in.",
			HowWeKnow: "The cookie holds the session's id and a secret. The id finds the record; the hash of the secret is not the one in the record.",
			HowSure: "Certain that the secret is not the current one. Usually the request was under way while the user signed in; a cookie jar that a " +
				"tool restored, and a stolen copy, look the same.",
			WhatToDo: "Send the request once more: a browser has the new cookie by then. If it keeps happening, something uses an old copy of the cookie; find " +
				"out what before you do anything else.",
			Spec: []Link{{Text: "RFC 6265 §8.4, session fixation", URL: "https://www.rfc-editor.org/rfc/rfc6265#section-8.4"}},
		},
		{
			Code:  oidc.SessionCookieUnreadable,
			Title: "The session cookie cannot be read",
			Happened: "A cookie with this issuer's name came, but it is not one that this process would have made: it was changed or cut off, it is older " +
				"than a session may be, or it was signed with a key that the provider no longer has.",
			HowWeKnow: "The signature of the cookie's value was checked with every key in `cookie_keys`, and none of them fits.",
			HowSure: "Certain that it cannot be read; the cause is a guess. Without `cookie_keys` each start makes a random key, so after a restart " +
				"in development every old cookie ends here.",
			WhatToDo: "Send the user through a sign-in, which replaces the cookie. In production set `cookie_keys`, the same in every process, and when you " +
				"rotate them keep the old key behind the new one for as long as a session may last.",
			Spec: []Link{{Text: "RFC 6265 §5.4, the Cookie header", URL: "https://www.rfc-editor.org/rfc/rfc6265#section-5.4"}},
		},
		{
			Code:  oidc.CookieWithheldOrAbsent,
			Title: "No cookie came in a cross-site iframe",
			Happened: "The request came from an iframe in a page of another site and brought no session cookie. Either the browser keeps the " +
				"provider's cookie out of such frames, because it blocks or partitions third-party cookies, or there is none because nobody is " +
				"signed in. The answer is `login_required`, although the user may well be signed in.",
			HowWeKnow: "The browser says so itself: `Sec-Fetch-Site: cross-site`, `Sec-Fetch-Dest: iframe`, no cookie, and not " +
				"`Sec-Fetch-Storage-Access: active`, which would mean that cookies are let through. Chromium that blocks, and Firefox by default, send `none` in " +
				"that header; `inactive` means that the user allowed access which this request did not use; some browsers leave it out. In development mode a sign-in " +
				"also leaves a cookie that a sign-out does not take away: where that one arrives, a session cookie would have, and the reason is `session.none`.",
			HowSure: "Certain that a cross-site iframe asked without a cookie. That the browser withheld one cannot be seen from here: `none` says that it " +
				"would have, not that there was something to withhold. Open the provider's home page in a tab: if it shows the user as signed in, the cookie was " +
				"withheld. The demo's probe measures it for your browser.",
			WhatToDo: "Put app and provider on one site, such as `app.example.com` and `login.example.com`: then the cookie is no third-party " +
				"cookie. If that cannot be, renew without the iframe: with a refresh token where the provider issues one, or by a redirect of the whole " +
				"page with `prompt=none`, which carries the cookie. Do not develop on two ports of `localhost` only: they are one site and hide " +
				"this failure until production.",
			Spec: []Link{sameSite, fetchMetadata, storageAccess},
		},
		{
			Code:  oidc.CookieSameSite,
			Title: "The cookie is SameSite=Lax and does not reach an iframe",
			Happened: "The browser has the session cookie only with `SameSite=Lax` (or `Strict`). Such a cookie goes along when a user follows a link to the " +
				"provider, but never into an iframe in a page of another site. So sign-ins work and silent renewals do not.",
			HowWeKnow: "Not from the request alone: what a browser does not send, nobody receives. In development mode the provider remembers which of its " +
				"two cookies each browser last brought to `/authorize`, until it signs out; this one brought the Lax cookie only. The failure lab causes the same " +
				"(fault `cookie_samesite_lax`).",
			HowSure: "Certain in the lab, likely elsewhere: browsers are told apart by address and `User-Agent`, which several may share, and the session may have " +
				"expired meanwhile. This provider sets the cookie with `SameSite=None; Secure` and adds a Lax one over http only; WebKit refuses the " +
				"first over http, even on `localhost`. Of a browser that it does not remember, the same failure is `cookie.withheld_or_absent`.",
			WhatToDo: "Set the session cookie with `SameSite=None; Secure` at the provider, and serve it over https. Look at the cookie in the browser's tools: " +
				"an empty SameSite column is Lax in Chromium. Where browsers block third-party cookies `None` does not help either; then app and provider " +
				"need one site.",
			Spec: []Link{sameSite},
		},
		{
			Code:  oidc.SessionTooOld,
			Title: "The sign-in is older than the app accepts",
			Happened: "Somebody is signed in, but the app sent `max_age`, or its registration has `default_max_age`, and the last time this user proved who they " +
				"are is longer ago than that. Without `prompt=none` the sign-in page would be shown, as it is for `prompt=login`.",
			HowWeKnow: "The session says when the account last signed in; ID tokens carry the same time as `auth_time`. The provider's clock says what time it is.",
			HowSure:   "Certain. Silent renewals do not count as sign-ins and leave `auth_time` as it is.",
			WhatToDo:  "Sign the user in with a page when the app really needs a fresh sign-in. If it does not, remove `max_age` (oidc-client-ts sends the setting with every request, silent ones too): a renewal with `max_age=300` can only succeed in the five minutes after a sign-in.",
			Spec:      []Link{coreAuthRequest},
		},
		{
			Code:  oidc.SessionOtherUser,
			Title: "A hint names somebody who is not signed in",
			Happened: "Somebody is signed in, but not the user that `id_token_hint` or `login_hint` names. Typically the user signed out in another tab and " +
				"somebody else signed in.",
			HowWeKnow: "The `sub` of the `id_token_hint`, which this provider signed, or the user whose username or email the `login_hint` is, was " +
				"compared with every account in the session.",
			HowSure: "Certain, both about whom the hint means and about who is signed in. A `login_hint` that names nobody here is ignored and does " +
				"not lead to this.",
			WhatToDo: "Treat it as a change of user: drop the tokens and whatever the app shows of the old user, and begin a sign-in. Do not just leave the hint " +
				"out: the renewal would succeed, and the app would hold the tokens of somebody else.",
			Spec: []Link{coreAuthRequest},
		},
		{
			Code:  oidc.HintUnreadable,
			Title: "The id_token_hint is no ID token of this provider",
			Happened: "The app sent an `id_token_hint` that cannot be read as an ID token that this issuer signed. So the provider does not know whom the app " +
				"means, and does not guess.",
			HowWeKnow: "The token's form, its `iss` and its signature were checked against the keys of this issuer. That it has expired is no " +
				"objection: old ID tokens are what this parameter is for.",
			HowSure: "Certain that it is not readable here. Why is a guess: the provider was restarted and made new keys, which is the likely cause in " +
				"development; the token comes from another issuer, and `http://localhost:8080` and `http://idp.localhost:8080` are two; or it was changed or cut.",
			WhatToDo: "Sign the user in with a page; the app then has a new ID token. To keep hints good across restarts configure " +
				"`signing_keys` with files.",
			Spec: []Link{coreAuthRequest},
		},
		{
			Code:  oidc.ConsentMissing,
			Title: "The user has not allowed the app what it asks for",
			Happened: "The user is signed in, but the client is not first-party and asks for scope that this user never allowed it, or does not allow any more. " +
				"Under `prompt=none` the answer is `consent_required`, not `login_required`: signing in again would not help.",
			HowWeKnow: "What the user allowed each client is kept in the store; the requested `scope` was compared with it. Users withdraw it on the " +
				"provider's home page.",
			HowSure: "Certain.",
			WhatToDo: "Send one request without `prompt=none`, as a page, so that the user can be asked. If it began with a new release of the app, look at " +
				"which scope values it added. A client that belongs to the provider's own house gets `first_party: true` and is never asked about.",
			Spec: []Link{core("3.1.2.4", "Consent"), coreAuthError},
		},
		{
			Code:  oidc.AccountAmbiguous,
			Title: "Several accounts are signed in and the request names none",
			Happened: "Two or more accounts are signed in side by side in this browser, and nothing in the request says which one the app means. Without a page " +
				"nobody can choose, so the answer is `account_selection_required`.",
			HowWeKnow: "The session lists its accounts; the request has neither a readable `id_token_hint` nor a `login_hint` that fits one of them.",
			HowSure:   "Certain.",
			WhatToDo: "Send the last ID token as `id_token_hint` with every silent request (oidc-client-ts: `includeIdTokenInSilentRenew: true`). An app " +
				"without one sends a request with `prompt=select_account`, as a page.",
			Spec: []Link{coreAuthRequest, coreAuthError},
		},
		{
			Code:  oidc.ACRUnmet,
			Title: "The sign-in is not one of those that the request accepts",
			Happened: "The request's `claims` parameter makes `acr` essential and lists values. The sign-in reaches none of them, and no page can change that: " +
				"`prompt=none` forbids one, the installation has no such level, or the user has just signed in and it was not enough. The answer is " +
				"`unmet_authentication_requirements`.",
			HowWeKnow: "The session's account has an `amr`; the configuration's `acr_values` say which levels that reaches.",
			HowSure:   "Certain.",
			WhatToDo: "Compare the values with `acr_values_supported` in the metadata. If one is there, send the request as a page, so that the user can sign in " +
				"in the stronger way. If any level will do, leave out `essential`, or send `acr_values`: that is a wish.",
			Spec: []Link{coreAuthRequest},
		},
	},
}
