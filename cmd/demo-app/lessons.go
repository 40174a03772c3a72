package main

// lesson is one way in which silent renewal fails: a card on the page /lessons/. What its two buttons do is in
// static/demo/lessons/lessons.js, under the same ID.
type lesson struct {
	ID      string // part of the card's element ids: lesson-ID, lesson-ID-cause, lesson-ID-fix
	Title   string
	Reports string // what users say
	Happens string // what is behind it
	Cause   string // what the button that causes it does
	Reason  string // the code that the provider finds
	Know    string // how it is known, and how surely
	Fix     string // what to do about it
	Apply   string // what the button that repairs it does
}

// lessons are the failures that users of silent renewal report most, the commonest first.
var lessons = []lesson{
	{
		ID: "1", Title: "The third-party cookie is blocked", Reason: "cookie.withheld_or_absent",
		Reports: "It worked on my machine. In production people are thrown out after some minutes; with Safari and Firefox it began.",
		Happens: "App and provider are two sites there. For the hidden iframe the provider's cookie is then a third-party cookie, and the browser does not send it. " +
			"The provider sees a stranger and answers login_required.",
		Cause: "The provider reads requests of hidden iframes as a blocking browser sends them: without cookies, from another site. " +
			"(Your browser may really send the cookie; then the diagram shows that it came, and was overlooked.)",
		Know: "The provider judged a request from an iframe of another site (Sec-Fetch-Dest and Sec-Fetch-Site say so) without a cookie, and Sec-Fetch-Storage-Access said none. " +
			"Whether there would have been a session nobody can know from that: so the code says withheld or absent.",
		Fix: "Serve app and provider from one site: app.example.com and login.example.com. Or keep the tokens at the app's server, behind the app's own cookie. " +
			"Asking people to allow third-party cookies is no fix.",
		Apply: "The cookie arrives again, as it does on one site.",
	},
	{
		ID: "2", Title: "The cookie is SameSite=Lax, or does not say", Reason: "cookie.samesite",
		Reports: "The sign-in page works, and right after it the silent renewal says login_required. Third-party cookies are allowed.",
		Happens: "SameSite=Lax means: send this cookie with navigations of the whole window only. An iframe of another site does not get it, whatever the browser's settings. " +
			"A cookie that says nothing is treated as Lax.",
		Cause: "The provider behaves as if its session cookie had been set with SameSite=Lax only, and overlooks it in iframes.",
		Know:  "The provider knows how it sets its cookie, and the iframe's request came without it. It is sure about its own attributes.",
		Fix:   "Set the provider's session cookie with SameSite=None; Secure. That needs https, or a loopback address.",
		Apply: "The cookie is SameSite=None; Secure again.",
	},
	{
		ID: "3", Title: "A page in the hidden iframe, and a header that forbids it", Reason: "page.in_iframe",
		Reports: "Refused to display in a frame because it set X-Frame-Options to deny. After ten seconds: IFrame timed out.",
		Happens: "The provider answered prompt=none with a page: a sign-in page, an error page. Nobody can see it, and X-Frame-Options keeps the browser from showing it. " +
			"No answer comes back, so the app waits for its timer.",
		Cause: "The provider answers the next silent requests with a page and X-Frame-Options: DENY.",
		Know:  "The request said prompt=none, the browser said that it is for an iframe, and the answer was no redirect. That is certain.",
		Fix: "Answer prompt=none by redirect, always: with a code or with an error (OpenID Connect Core §3.1.2.6). " +
			"Taking the header away shows the page to nobody either, and opens sign-in pages to clickjacking.",
		Apply: "The provider answers by redirect again.",
	},
	{
		ID: "4", Title: "The silent redirect URI is not registered", Reason: "redirect.unregistered",
		Reports: "Signing in works. Silent renewal does nothing for ten seconds, then: IFrame timed out. There is no error anywhere.",
		Happens: "An address that is not registered gets no answer, or the provider would send codes to strangers. So it shows an error page, and shows it to nobody: in the hidden iframe. " +
			"Apps often have a page of their own for silent renewal, and registered only the one for signing in.",
		Cause: "This page renews with silent_redirect_uri set to /lessons/callback.html, which works but is not registered.",
		Know:  "The provider compared the address with the registered ones, character by character. The details name the nearest and the difference.",
		Fix:   "Register the address exactly as the app sends it. Or use one callback page for everything: oidc-client-ts can.",
		Apply: "The address is registered at the provider, for the client spa.",
	},
	{
		ID: "5", Title: "The whole app boots inside the iframe", Reason: "callback.nested",
		Reports: "Each renewal loads the app twice. The network view shows iframes in iframes. Sometimes it works, often it times out.",
		Happens: "The silent redirect URI is an address of the app itself. The answer boots a second app in the iframe, which finds nobody signed in and begins a renewal of its own, in an iframe of its own. " +
			"The app outside waits for a message that never comes.",
		Cause: "This page renews with silent_redirect_uri set to /lessons/app.html, a page that boots an app. (A real one would go on for ever; this one stops at the second.)",
		Know:  "An authorize request came whose Referer is the address of a callback. Only a page that starts things where it should finish them sends that. With Referrer-Policy: no-referrer it would not show.",
		Fix:   "Give the iframe a page of its own that does one thing: signinCallback(). It should load no app, no router and no style sheets.",
		Apply: "This page renews with /spa/callback.html again, which finishes and stops.",
	},
	{
		ID: "6", Title: "A callback page that does not listen", Reason: "callback.silent",
		Reports: "The provider's log says that everything went well. The app says: IFrame timed out.",
		Happens: "The answer, code or error, arrives at the callback page, and the page does nothing with it: the script is missing, fails early, or looks for a code only and ignores errors.",
		Cause:   "This page renews with silent_redirect_uri set to /lessons/silent.html, a page without a script.",
		Know: "A code was sent and nobody redeemed it within ten seconds. So something after the redirect failed: the page, its script, or the network. " +
			"That is a conclusion, not an observation.",
		Fix:   "Call signinCallback() on the callback page, for errors as well as for codes: it passes both on.",
		Apply: "This page renews with /spa/callback.html again, which passes the answer on.",
	},
	{
		ID: "7", Title: "It renews and renews", Reason: "renewal.looping",
		Reports: "Hundreds of authorize requests a minute. The browser is hot, the provider begins to answer 429.",
		Happens: "oidc-client-ts renews 60 seconds before a token expires. A token that lives for 60 seconds or less is always about to expire, so it renews as soon as it has renewed.",
		Cause:   "The provider gives tokens of 30 seconds, and automatic renewal is on. Watch it for some seconds.",
		Know:    "Four or more silent requests of one client and browser came within five seconds, and the token's lifetime says why (token.short_lived).",
		Fix:     "Let access tokens live for some minutes (access_token_lifetime). Or tell the library to begin later: accessTokenExpiringNotificationTimeInSeconds.",
		Apply:   "Tokens live for their usual time again, and this page watches that it stays quiet.",
	},
	{
		ID: "8", Title: "The answer is there, and the script may not read it", Reason: "origin.not_allowed",
		Reports: "Blocked by CORS policy: No Access-Control-Allow-Origin header. Or just: Failed to fetch.",
		Happens: "The code came back, and the script posts it to /token, another origin. Without Access-Control-Allow-Origin in the answer the browser hides it from the script. " +
			"The code is spent by then, so trying again with it fails too.",
		Cause: "The provider leaves out the CORS headers of its next answers at /token.",
		Know:  "The request said from which origin it came, and the answer did not allow that origin. The browser then hides it: that is certain.",
		Fix:   "Register the app's origin at the provider; with Hush every registered redirect URI allows its origin. Errors need the headers too.",
		Apply: "The headers are sent again.",
	},
	{
		ID: "9", Title: "The same code, twice", Reason: "code.replayed",
		Reports: "invalid_grant, but the user is signed in. Only in development. Or: everybody is signed out at random.",
		Happens: "The callback ran twice for one answer: a component mounted twice (React's StrictMode does that on purpose), a reload, two tabs. " +
			"A code is good for one use. The second use looks like theft, so the provider also revokes what the first one got.",
		Cause: "This page gets one answer and gives it to two callbacks at the same moment.",
		Know:  "The code was redeemed before, and the provider says how long before. The same code_verifier came: so it was the same app, not a thief.",
		Fix:   "Handle each answer once: start the callback outside of components, or keep its promise and give it to whoever asks again. Take the code out of the address afterwards.",
		Apply: "Two callbacks are started again, and share one promise.",
	},
	{
		ID: "10", Title: "Two clocks", Reason: "clock.skew",
		Reports: "ID token issued in the future. Token expired, right after signing in. On one machine only.",
		Happens: "Tokens carry times, and whoever checks them uses a clock of its own. When two machines differ by more than the tolerance, good tokens are refused, or expired ones taken.",
		Cause:   "The provider's clock is moved ten minutes ahead. Then the server-side app, which checks iat, renews.",
		Know:    "The token says when it was issued, by the provider's clock, and the app got it at the same moment by its own. The difference is measured, not guessed.",
		Fix:     "Set the clocks (NTP), of virtual machines and containers first. Allow a minute of difference in checks, not more.",
		Apply:   "The provider's clock shows real time again.",
	},
	{
		ID: "10b", Title: "Consent mistaken for sign-in", Reason: "consent.missing",
		Reports: "The app sends people to the sign-in page again and again, although they are signed in.",
		Happens: "The person is signed in, but has not allowed this app what it asks for, or withdrew that. Under prompt=none no question may be shown, so the answer is consent_required. " +
			"An app that treats every error as \"not signed in\" does the wrong thing.",
		Cause: "The provider forgets that this app is trusted, and that anybody consented.",
		Know:  "The session was found and is alive; the check of consent was the first that failed. The provider is sure.",
		Fix:   "Read the error: login_required and consent_required are two things. For consent_required open the sign-in with a page once; the provider then asks for consent, not for a password.",
		Apply: "The app is trusted again, as after the person has said yes.",
	},
}
