package reasons

import "github.com/hush-idp/hush/oidc"

var aboutToken = Group{
	Title: "Codes, tokens and scripts",
	Lead: "What the app does after the redirect: it redeems the code, once and soon, as the client it is and with the verifier that only it has, " +
		"and calls userinfo. In a browser the answers must also be readable for its script.",
	Reasons: []Reason{
		{
			Code:  oidc.ClientAuthentication,
			Title: "The client did not prove who it is",
			Happened: "At the token endpoint the client said who it is, but not in the way it is registered for: a wrong `client_secret`, a secret from a " +
				"public client, none from a confidential one, or another method than its `token_endpoint_auth_method`. The answer is " +
				"`invalid_client`; a code in the request is not spent.",
			HowWeKnow: "The method was read off the request, header or body, and compared with the registration; the secret was compared with the hash of " +
				"the registered one.",
			HowSure: "Certain. `error_description` says which of these it was. A secret with special characters must be form-encoded before " +
				"it goes into the `Authorization` header; where that was forgotten, it arrives as a wrong secret.",
			WhatToDo: "For a single-page app register `token_endpoint_auth_method: none` and send no secret: in a browser it would be none. For a server " +
				"check secret and method on both sides.",
			Spec: []Link{rfc6749("2.3.1"), rfc6749("5.2"), core("9", "ClientAuthentication")},
		},
		{
			Code:  oidc.PKCEMismatch,
			Title: "The code_verifier does not fit the code_challenge",
			Happened: "A code was redeemed with a `code_verifier` that is malformed, or not the one whose hash came with the authorization request. " +
				"The answer is `invalid_grant`, and the code is spent.",
			HowWeKnow: "The SHA-256 of the verifier, in base64url, was compared with the `code_challenge` that was stored with the code.",
			HowSure: "Certain that they do not belong together. Mostly two requests of one app got mixed up, such as two tabs that write their verifier to " +
				"the same place; the other possibility is a code in foreign hands, which is what PKCE is there for.",
			WhatToDo: "Keep the verifier under the `state` of its request, never in one place for all. If the client computes the challenge itself: " +
				"BASE64URL of the SHA-256 of the ASCII text of the verifier, without padding.",
			Spec: []Link{rfc("7636", "4.6")},
		},
		{
			Code:  oidc.CodeUnknown,
			Title: "The code is not known",
			Happened: "A code was presented that this provider has no record of: it never issued it, forgot it minutes after it had expired, or was " +
				"restarted in between. The answer is `invalid_grant`.",
			HowWeKnow: "The store has nothing under the code. Codes are kept for five minutes, four of them after they have expired, so that late ones are told " +
				"apart as `code.expired`.",
			HowSure: "Certain that there is no record. Which cause it was cannot be told; a code cut off or decoded twice on its way looks like one " +
				"that never was.",
			WhatToDo: "Compare the code with the one in the redirect: take it from the URL with `URLSearchParams`, not by hand. Check that app and " +
				"token request speak to the same provider. Then start again.",
			Spec: []Link{rfc6749("5.2")},
		},
		{
			Code:  oidc.CodeReplayed,
			Title: "The code was redeemed twice",
			Happened: "A code that was already redeemed was presented again. The answer is `invalid_grant`, and the tokens that the first redemption " +
				"gave are revoked, since one of the two may be a thief. So the app loses what it had just got.",
			HowWeKnow: "A redeemed code leaves a mark in the store, set in the same atomic step that spends it. The trace says how long ago that was, and whether the same " +
				"`code_verifier` came again.",
			HowSure: "Certain that the code came twice. With the same verifier it is nearly always the app itself; with another one, or none, it may be " +
				"somebody else. Revoking reaches userinfo at once; an API that only verifies the token's signature accepts it until it expires.",
			WhatToDo: "Find what runs the callback twice: a component that mounts twice (React's StrictMode does so in development), a reload of the callback page, " +
				"the back button, or a repeated fetch after `origin.not_allowed`. Redeem in one place, and remove code and `state` from the address " +
				"bar before anything else runs.",
			Spec: []Link{rfc6749("4.1.2"), rfc6749("10.5")},
		},
		{
			Code:      oidc.CodeExpired,
			Title:     "The code is too old",
			Happened:  "A code was redeemed, for the first time, more than 60 seconds after it was issued. The answer is `invalid_grant`, and the code is spent.",
			HowWeKnow: "The code's record says until when it is good; the provider's clock is past that.",
			HowSure: "Certain, by the provider's clock. A debugger that stopped the callback, a laptop that slept, and a clock moved forward in the console " +
				"are the usual causes.",
			WhatToDo: "Redeem right after the redirect, before any other work. Then start again: a silent request gives a new code at once.",
			Spec:     []Link{rfc6749("4.1.2")},
		},
		{
			Code:  oidc.CodeForeign,
			Title: "The code belongs to another client or another address",
			Happened: "The code is good, but not for this token request: it was issued to another `client_id`, or for another `redirect_uri` than the " +
				"one sent now. The answer is `invalid_grant`, and the code is spent.",
			HowWeKnow: "Client and `redirect_uri` are stored with the code and were compared with the token request, to the letter.",
			HowSure: "Certain. `error_description` says which of the two differs. If it is the client, ask how one app came by a code of another before you " +
				"call it a mistake.",
			WhatToDo: "Send to the token endpoint exactly the `redirect_uri` of the authorization request. Renewals that use an address of their own must use it " +
				"in both requests.",
			Spec: []Link{rfc6749("4.1.3")},
		},
		{
			Code:  oidc.RefreshRefused,
			Title: "The refresh token is not accepted",
			Happened: "A refresh token was presented that yields nothing: it is not known, it expired, it was revoked, it was issued to another client, it is " +
				"bound to another DPoP key, or its user is gone. The answer is `invalid_grant`.",
			HowWeKnow: "The record of its family says whose it is, until when it is good and whether it was revoked. What is over is remembered for an hour; after that " +
				"it is not known any more.",
			HowSure: "Certain. `error_description` says which of these it was. The usual ones are a user who took back the access on the provider's page, and an " +
				"app that was not opened for longer than `refresh.idle`.",
			WhatToDo: "Send the user to the authorization endpoint; under `prompt=none` first, if the session may still be there. Do not try the same token again.",
			Spec:     []Link{rfc6749("6"), rfc6749("5.2"), rfc("9449", "5")},
		},
		{
			Code:  oidc.RefreshReplayed,
			Title: "A refresh token was used twice",
			Happened: "A refresh token was presented that had been replaced by a newer one before. Everything that the user granted with it is revoked, the newest " +
				"refresh token and the access tokens too, since one of the two who have it may be a thief. The answer is `invalid_grant`.",
			HowWeKnow: "Each refresh replaces the token. The family's record knows the current one, and for `refresh.grace` (10 seconds) the one before it, so that tabs " +
				"that renew at the same moment get the same new token. This one was older.",
			HowSure: "Certain that an old token came. Mostly the app itself lost the newer one: its answer never arrived, or two places keep the token " +
				"and one of them is not told.",
			WhatToDo: "Keep refresh tokens in one place for all tabs, and store the new one before anything else is done with the answer. Then sign in again.",
			Spec:     []Link{rfc("9700", "4.14.2"), rfc6749("10.4")},
		},
		{
			Code:  oidc.DPoPProof,
			Title: "The DPoP proof is missing or not good",
			Happened: "A request should have shown, by a JWT in its header `DPoP`, that the client holds a key, and did not: no proof came, or it was made for another " +
				"method, URL, token or key, or it came twice, or its time is off. The answer is `invalid_dpop_proof`; `use_dpop_nonce` where only the provider's nonce is missing " +
				"or old, and at userinfo `invalid_token` for a bound token that came without a proof. A code or refresh token in the request is not spent by it.",
			HowWeKnow: "The proof was verified with the public key in its own header and compared with the request; the nonce is recognised by a MAC; a mark in the store " +
				"tells that a proof was used before.",
			HowSure: "Certain. `error_description` names the first condition that was not kept. `use_dpop_nonce` once in some minutes is no failure: it is how the client " +
				"learns the next nonce.",
			WhatToDo: "Make a new proof for each request, a repeated one too, with a new `jti`. Let `htu` be the address as the metadata spells it. Repeat the request when " +
				"`use_dpop_nonce` comes, with the nonce of the header `DPoP-Nonce`; that helps against a wrong clock, too. Keep the key for as long as its tokens.",
			Spec: []Link{rfc("9449", "4.3"), rfc("9449", "8")},
		},
		{
			Code:  oidc.TokenInvalid,
			Title: "The access token is not accepted",
			Happened: "Userinfo refused an access token: it has expired, was revoked, is none of this issuer's, is not an access token (an ID token, say), or " +
				"its user is gone. The answer is 401 with `invalid_token`.",
			HowWeKnow: "Signature, `typ`, `iss` and `exp` were checked as RFC 9068 wants it; then whether the grant behind the token was revoked, as it is after " +
				"`code.replayed`.",
			HowSure:  "Certain. `error_description` says which check failed. Nothing is said about what an API thinks of the token: that one checks its own `aud`.",
			WhatToDo: "Renew, then call again, once. If a fresh token is refused too, compare the issuer in it with the provider you call, and both clocks.",
			Spec:     []Link{rfc("6750", "3.1"), rfc("9068", "4")},
		},
		{
			Code:  oidc.OriginNotAllowed,
			Title: "The browser may not show the answer to this origin",
			Happened: "A script called the token endpoint or one of its neighbours from an origin that no client has among its redirect URIs. The " +
				"provider answered without CORS headers, so the browser hides the answer, and the app sees only “Failed to fetch” or a network error.",
			HowWeKnow: "The request's `Origin` header was compared with the origins of all registered redirect URIs; on loopback the port is free.",
			HowSure: "Certain that the origin is not registered, or that the failure lab took the headers away (fault `no_cors`). That an app suffers from it " +
				"is nearly certain: only browsers enforce CORS, but few other programs send `Origin`.",
			WhatToDo: "Register a redirect URI of that origin with the client, scheme and host to the letter. Mind that a token request needs no preflight: it " +
				"was carried out, only its answer is hidden. The code is spent, and trying again gives `code.replayed`.",
			Spec: []Link{fetchCORS},
		},
		{
			Code:  oidc.RequestTooMany,
			Title: "Too many requests in too short a time",
			Happened: "An installation limits how often one address, one client or one user may ask. This request was one too many: it was answered with status " +
				"429 and `temporarily_unavailable` before anything about it was looked at, so a code in it is not spent and a password was not compared.",
			HowWeKnow: "Requests to the token and the sign-in endpoint are counted by the address they come from, tokens by the client that gets them, and wrong " +
				"passwords by user and address, as `limits` in the configuration says.",
			HowSure: "Certain that the count was exceeded. Whether one app did it is another question: many people may share an address, and behind a proxy that " +
				"`limits.trusted_proxies` does not name, all do.",
			WhatToDo: "Wait as long as `Retry-After` says, then try again. If it comes back, look for an app that renews in a loop (`renewal.looping`). Whoever runs " +
				"the provider raises the limit, or names the proxy.",
			Spec: []Link{rfc("6585", "4"), rfc6749("4.1.2.1")},
		},
		{
			Code:  oidc.ServerFailed,
			Title: "The provider failed",
			Happened: "Something went wrong on this side: the store did not answer, a token could not be signed, or the failure lab answered with a status of " +
				"its own. The app got `server_error`, `temporarily_unavailable` or a bare status.",
			HowWeKnow: "An error came up that is no answer of the protocol. It is in the log under the request's id; the outside is told nothing about it.",
			HowSure:   "Certain that it was not the app's request that was wrong.",
			WhatToDo:  "Try again after a pause that grows, and not for ever. Whoever runs the provider finds the cause in the log by the request id; in the trace a fault of the lab names itself.",
			Spec:      []Link{rfc6749("4.1.2.1")},
		},
		{
			Code:  oidc.StoreUnavailable,
			Title: "The provider cannot reach what it stores",
			Happened: "The engine behind the provider, a file or a Redis server, refused, did not answer in time, or is not there. The request was answered with " +
				"`temporarily_unavailable`: by redirect under `prompt=none`, else with status 503 and `Retry-After`.",
			HowWeKnow: "The engine said so, or said nothing for two seconds. `/readyz` asks it and tells its words.",
			HowSure: "Certain that it did not answer this request. Whether a write that was given up happened all the same is not known: a code may be spent, so " +
				"start again with a new request rather than with the old code.",
			WhatToDo: "Try again after some seconds; nothing has to be restarted, the provider comes back with its engine. Whoever runs it looks at `/readyz` and the log.",
			Spec:     []Link{rfc6749("4.1.2.1")},
		},
		{
			Code:  oidc.FaultInjected,
			Title: "The failure lab did it",
			Happened: "A fault that somebody set in the console or by `POST /console/faults` changed this answer, in a way that no other reason describes. Where " +
				"a fault imitates a real failure, the flow has that failure's reason, so that an app sees what it would see in earnest.",
			HowWeKnow: "The fault wrote itself into the record of the request: which kind, which rule of it applied, and how often it was used.",
			HowSure:   "Certain.",
			WhatToDo:  "Nothing, if the test was yours. Otherwise open the console's failure lab and cancel the fault; faults also end by themselves after their count or their time.",
			Spec:      nil,
		},
	},
}
