package reasons

import "github.com/hush-idp/hush/oidc"

var aboutSeveral = Group{
	Title: "What only shows over several requests",
	Lead: "These are diagnoses. Each request by itself may be fine; together, or by what did not follow, they show that something is wrong " +
		"in the app. They appear in the console and in the flow, not in `error_description`.",
	Reasons: []Reason{
		{
			Code:  oidc.TokenShortLived,
			Title: "The tokens live a minute or less",
			Happened: "A token answer had an `expires_in` of 60 seconds or less. Clients renew some time before a token expires; if that time is as long as the " +
				"token's whole life, the new token is due for renewal the moment it arrives.",
			HowWeKnow: "The `expires_in` of the answer was read when it was sent.",
			HowSure: "Certain about the lifetime. Whether the app loops depends on its settings: oidc-client-ts renews 60 seconds before the end, or after one " +
				"second where less is left, and does so only with `automaticSilentRenew`.",
			WhatToDo: "Raise the client's `access_token_lifetime` to two minutes or more, or lower the client's margin (oidc-client-ts: " +
				"`accessTokenExpiringNotificationTimeInSeconds`) well below the lifetime.",
			Spec: []Link{rfc6749("5.1")},
		},
		{
			Code:  oidc.RenewalLooping,
			Title: "One client renews again and again",
			Happened: "Four or more silent requests of the same client and the same user agent came within five seconds. Something renews without a pause: " +
				"it loads the provider and the user's battery, and users report a page that flickers or a tab that hangs.",
			HowWeKnow: "Requests with `prompt=none` are counted by `client_id` and `User-Agent` header, by real time; a moved clock changes nothing.",
			HowSure: "The count is certain, the cause a guess. Several tabs that wake up together, and several people with the same browser, look like one that " +
				"loops.",
			WhatToDo: "Look at the flows for `token.short_lived` first. Otherwise search the app for a renewal that starts on each render, on each failed API call, or " +
				"on each failed renewal: after `login_required` a new attempt can only fail the same way. Renew once for all callers, and after an error " +
				"wait for the user.",
			Spec: []Link{coreAuthError},
		},
		{
			Code:  oidc.CallbackNested,
			Title: "The whole app started inside the iframe",
			Happened: "An authorization request came from a page that is itself a callback address. The hidden iframe did not just hand over its answer: it loaded " +
				"the app, which found nobody signed in within the frame and began a renewal or a sign-in of its own. Each level may start the next.",
			HowWeKnow: "The request is for an iframe, and its `Referer` header, without the query, is a redirect URI registered for the same client.",
			HowSure: "Nearly certain where it is reported, unless the app uses as redirect URI a page that renews itself: then every silent request comes from " +
				"there. A `Referer` without a path, as of a redirect URI that is a bare origin, is not taken for a sign. Its absence proves nothing: by default browsers send only the origin to another origin, so the path arrives only if the app's pages " +
				"have a `Referrer-Policy` such as `no-referrer-when-downgrade`.",
			WhatToDo: "Give the silent renewal a page of its own that runs nothing but the library's callback (oidc-client-ts: `signinCallback()`), and register " +
				"it. A single-page app that answers every path with the same page must not start when `window.self !== window.top`.",
			Spec: []Link{referrerPolicy},
		},
		{
			Code:  oidc.CallbackSilent,
			Title: "A code was sent and nobody redeemed it",
			Happened: "The provider answered with a redirect that carries a code, and ten seconds later no token request had brought it back. From here the renewal " +
				"succeeded; the app waits until its own time runs out.",
			HowWeKnow: "A timer starts with the redirect and is stopped by the token request with the same code. It ran out.",
			HowSure: "Certain that the code was not redeemed in time; the provider cannot see why. A closed tab, a debugger, or a slow server look like a " +
				"callback page that does nothing. Error answers need no token request, so a page that ignores those is not noticed here.",
			WhatToDo: "Open the callback address in a tab and read its console. Does it exist, does it call the library's callback, and does it do so for errors too? " +
				"May it be framed: an `X-Frame-Options: DENY` on the app's own callback page stops it, and so does the app's `frame-src` without " +
				"`'self'`. A `sandbox` on the iframe needs `allow-scripts allow-same-origin`.",
			Spec: []Link{rfc6749("4.1.3"), frameAncestors},
		},
		{
			Code:  oidc.PageInIframe,
			Title: "A silent request in an iframe ended on a page",
			Happened: "A request with `prompt=none` was answered with a page instead of a redirect. In a hidden iframe nobody reads it, and where framing is " +
				"forbidden the browser does not even show it. The app learns nothing until its time runs out.",
			HowWeKnow: "The request says `prompt=none` and `Sec-Fetch-Dest: iframe`; the answer's status is not that of a redirect.",
			HowSure: "Certain that a page was sent into a frame. What the browser made of it is not seen from here: frame headers on a redirect are ignored, on " +
				"a page they hold, and in both cases the parent page gets its `load` event.",
			WhatToDo: "Look at the flow's other reason: with this provider it is `client.unknown`, `redirect.unregistered`, a failure, or a fault of the lab " +
				"(`html_page`, `frame_options`). In development the error page tells a registered app's window the reason by `postMessage`. Other providers show " +
				"their sign-in page here; there, repair what made them ignore `prompt=none`.",
			Spec: []Link{coreAuthRequest, frameAncestors},
		},
		{
			Code:  oidc.ClockSkew,
			Title: "Provider and app do not agree on the time",
			Happened: "The clocks of provider and app are more than a minute apart. A token that one side has just made is then from the future or already " +
				"expired to the other: apps refuse `iat` or `exp`, APIs answer 401, and renewals come too early or too late.",
			HowWeKnow: "The app reported the difference it measured, or the provider's clock was moved in the console.",
			HowSure: "Certain where the console moved the clock. A report is as good as the app's measurement, which contains the time the answer was on its way. " +
				"Which of the two clocks is wrong is not said.",
			WhatToDo: "Set the clock back to real in the console, or let both machines keep time by NTP; suspended virtual machines and containers on laptops " +
				"are often late. Verify tokens with a small leeway of a minute or less, not with a large one.",
			Spec: []Link{idTokenValidation, rfc("7519", "4.1.4")},
		},
	},
}
