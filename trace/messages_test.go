package trace_test

import (
	"strings"
	"testing"

	"github.com/hush-idp/hush/trace"
)

// drawings are flows as the arrows of their diagrams, with state and reasons.
var drawings = []struct {
	text    string
	happen  func(h *trace.Hub)
	state   trace.FlowState
	reasons string
	arrows  string
}{
	{
		"a silent renewal, seen from the provider alone",
		func(h *trace.Hub) { authorize(h); token(h) },
		trace.FlowDone, "", `
1 app>iframe unseen: opens a hidden iframe on /authorize
1 iframe>provider done: GET /authorize: prompt=none, session cookie
2 provider>iframe done: 303 to redirect_uri: code, state, iss
3 iframe>app unseen: passes the code to its parent
3 app>provider done: POST /token: code, code_verifier
3 provider>app done: 200: tokens, expires_in 300
`,
	}, {
		"a silent renewal, with what the application reports, though its reports come late",
		func(h *trace.Hub) { authorize(h); token(h); callback(h); api(h) },
		trace.FlowDone, "", `
1 app>iframe unseen: opens a hidden iframe on /authorize
1 iframe>provider done: GET /authorize: prompt=none, session cookie
2 provider>iframe done: 303 to redirect_uri: code, state, iss
3 iframe>app done: passes the code to its parent
3 app>provider done: POST /token: code, code_verifier
3 provider>app done: 200: tokens, expires_in 300
4 app>api done: GET https://api.example/me: access_token
4 api>app done: 200
`,
	}, {
		"a silent renewal, followed by a call of the userinfo endpoint",
		func(h *trace.Hub) { authorize(h); token(h); userinfo(h) },
		trace.FlowDone, "", `
1 app>iframe unseen: opens a hidden iframe on /authorize
1 iframe>provider done: GET /authorize: prompt=none, session cookie
2 provider>iframe done: 303 to redirect_uri: code, state, iss
3 iframe>app unseen: passes the code to its parent
3 app>provider done: POST /token: code, code_verifier
3 provider>app done: 200: tokens, expires_in 300
4 app>provider done: GET /userinfo: access_token
4 provider>app done: 200
`,
	}, {
		"an answer that comes as a form is no page",
		func(h *trace.Hub) { authorize(h, func(r *trace.Record) { r.Status = 200 }); token(h) },
		trace.FlowDone, "", `
1 app>iframe unseen: opens a hidden iframe on /authorize
1 iframe>provider done: GET /authorize: prompt=none, session cookie
2 provider>iframe done: 200, a form that posts itself to redirect_uri: code, state, iss
3 iframe>app unseen: passes the code to its parent
3 app>provider done: POST /token: code, code_verifier
3 provider>app done: 200: tokens, expires_in 300
`,
	}, {
		"a renewal under way: the rest is awaited",
		func(h *trace.Hub) { authorize(h) },
		trace.FlowOpen, "", `
1 app>iframe unseen: opens a hidden iframe on /authorize
1 iframe>provider done: GET /authorize: prompt=none, session cookie
2 provider>iframe done: 303 to redirect_uri: code, state, iss
3 iframe>app waiting: passes the code to its parent
3 app>provider waiting: POST /token: code
4 app>api waiting: calls the API with the access token
`,
	}, {
		"an error goes back by redirect: it stops there, and the app learns of it",
		func(h *trace.Hub) { authorize(h, refused("login_required", "session.none"), withoutCookie) },
		trace.FlowFailed, "session.none", `
1 app>iframe unseen: opens a hidden iframe on /authorize
1 iframe>provider done: GET /authorize: prompt=none, no session cookie
2 provider>iframe failed: 303 to redirect_uri: error=login_required [session.none]
3 iframe>app unseen: tells the app: login_required
`,
	}, {
		"the same, and the callback page reports that it told the app",
		func(h *trace.Hub) {
			authorize(h, refused("login_required", "session.none"))
			callback(h, func(r *trace.Record) { r.Error = "login_required" })
		},
		trace.FlowFailed, "session.none", `
1 app>iframe unseen: opens a hidden iframe on /authorize
1 iframe>provider done: GET /authorize: prompt=none, session cookie
2 provider>iframe failed: 303 to redirect_uri: error=login_required [session.none]
3 iframe>app done: tells the app: login_required
`,
	}, {
		"an error page in the hidden iframe is the end, and nobody is told",
		func(h *trace.Hub) { authorize(h, failed(400, "invalid_request", "redirect.unregistered")) },
		trace.FlowFailed, "redirect.unregistered page.in_iframe", `
1 app>iframe unseen: opens a hidden iframe on /authorize
1 iframe>provider done: GET /authorize: prompt=none, session cookie
2 provider>iframe failed: 400, a page instead of a redirect invalid_request [redirect.unregistered]
`,
	}, {
		"a page that pretends all is well is an end, too",
		func(h *trace.Hub) { authorize(h, page(200)) },
		trace.FlowFailed, "page.in_iframe", `
1 app>iframe unseen: opens a hidden iframe on /authorize
1 iframe>provider done: GET /authorize: prompt=none, session cookie
2 provider>iframe failed: 200, a page instead of a redirect [page.in_iframe]
`,
	}, {
		"a dropped connection",
		func(h *trace.Hub) { authorize(h, page(0)) },
		trace.FlowFailed, "", `
1 app>iframe unseen: opens a hidden iframe on /authorize
1 iframe>provider done: GET /authorize: prompt=none, session cookie
2 provider>iframe failed: no answer: the connection was dropped
`,
	}, {
		"the token endpoint refuses",
		func(h *trace.Hub) { authorize(h); token(h, failed(400, "invalid_grant", "pkce.mismatch")) },
		trace.FlowFailed, "pkce.mismatch", `
1 app>iframe unseen: opens a hidden iframe on /authorize
1 iframe>provider done: GET /authorize: prompt=none, session cookie
2 provider>iframe done: 303 to redirect_uri: code, state, iss
3 iframe>app unseen: passes the code to its parent
3 app>provider done: POST /token: code, code_verifier
3 provider>app failed: 400 invalid_grant [pkce.mismatch]
`,
	}, {
		"a token request that failed on the way is sent again",
		func(h *trace.Hub) { authorize(h); token(h, failed(503, "", "fault.injected")); token(h) },
		trace.FlowDone, "fault.injected", `
1 app>iframe unseen: opens a hidden iframe on /authorize
1 iframe>provider done: GET /authorize: prompt=none, session cookie
2 provider>iframe done: 303 to redirect_uri: code, state, iss
3 iframe>app unseen: passes the code to its parent
3 app>provider done: POST /token: code, code_verifier
3 provider>app failed: 503 [fault.injected]
3 app>provider done: POST /token: code, code_verifier
3 provider>app done: 200: tokens, expires_in 300
`,
	}, {
		"the code is redeemed twice",
		func(h *trace.Hub) {
			authorize(h)
			token(h)
			token(h, failed(400, "invalid_grant", "code.replayed"), func(r *trace.Record) { r.ID = "t2" })
		},
		trace.FlowFailed, "code.replayed", `
1 app>iframe unseen: opens a hidden iframe on /authorize
1 iframe>provider done: GET /authorize: prompt=none, session cookie
2 provider>iframe done: 303 to redirect_uri: code, state, iss
3 iframe>app unseen: passes the code to its parent
3 app>provider done: POST /token: code, code_verifier
3 provider>app done: 200: tokens, expires_in 300
3 app>provider done: POST /token: code, code_verifier
3 provider>app failed: 400 invalid_grant [code.replayed]
`,
	}, {
		"the token endpoint answers, but the browser keeps the answer from the script",
		func(h *trace.Hub) { authorize(h); token(h, foreign("https://x")) },
		trace.FlowFailed, "origin.not_allowed", `
1 app>iframe unseen: opens a hidden iframe on /authorize
1 iframe>provider done: GET /authorize: prompt=none, session cookie
2 provider>iframe done: 303 to redirect_uri: code, state, iss
3 iframe>app unseen: passes the code to its parent
3 app>provider done: POST /token: code, code_verifier
3 provider>app failed: 200, without CORS headers for https://x: the browser keeps it from the app [origin.not_allowed]
`,
	}, {
		"a preflight of a strange origin stands alone",
		func(h *trace.Hub) {
			token(h, foreign("https://x"), params(),
				func(r *trace.Record) { r.Method, r.Status, r.Answer = "OPTIONS", 204, nil })
		},
		trace.FlowFailed, "origin.not_allowed", `
3 app>provider done: OPTIONS /token (preflight)
3 provider>app failed: 204: the browser does not send the request that this preflight announces [origin.not_allowed]
`,
	}, {
		"the app starts inside the iframe and asks again",
		func(h *trace.Hub) {
			authorize(h, func(r *trace.Record) { r.Nested, r.Referer = true, "https://app.example/" })
		},
		trace.FlowOpen, "callback.nested", `
1 app>iframe unseen: the app, started inside the iframe, opens another on /authorize
1 iframe>provider done: GET /authorize: prompt=none, session cookie [callback.nested]
2 provider>iframe done: 303 to redirect_uri: code, state, iss
3 iframe>app waiting: passes the code to its parent
3 app>provider waiting: POST /token: code
4 app>api waiting: calls the API with the access token
`,
	}, {
		"the callback page cannot use the answer",
		func(h *trace.Hub) {
			authorize(h)
			callback(h, func(r *trace.Record) { r.Error = "No matching state found in storage" })
		},
		trace.FlowFailed, "", `
1 app>iframe unseen: opens a hidden iframe on /authorize
1 iframe>provider done: GET /authorize: prompt=none, session cookie
2 provider>iframe done: 303 to redirect_uri: code, state, iss
3 iframe>app failed: passes the code to its parent
`,
	}, {
		"a sign-in waits at the page",
		func(h *trace.Hub) { authorize(h, visible, toPage("/login", sealed)); visit(h, "login", sealed) },
		trace.FlowOpen, "", `
1 app>browser unseen: sends the browser to /authorize
1 browser>provider done: GET /authorize: no session cookie
0 provider>browser done: 303 to /login
0 browser>provider done: GET /login
0 provider>browser done: 200
2 provider>browser waiting: redirects to redirect_uri with a code
3 browser>app waiting: is back at the app with the code
3 app>provider waiting: POST /token: code
4 app>api waiting: calls the API with the access token
`,
	}, {
		"a sign-in through the pages, with a wrong password at first",
		func(h *trace.Hub) {
			authorize(h, visible, toPage("/login", sealed))
			visit(h, "login", sealed, post, page(401))
			visit(h, "login", sealed, post, toPage("/authorize", sealed+"2"))
			authorize(h, visible, params("interaction", sealed+"2"), withCookie)
			token(h)
		},
		trace.FlowDone, "", `
1 app>browser unseen: sends the browser to /authorize
1 browser>provider done: GET /authorize: no session cookie
0 provider>browser done: 303 to /login
0 browser>provider done: POST /login
0 provider>browser failed: 401
0 browser>provider done: POST /login
0 provider>browser done: 303 to /authorize
0 browser>provider done: GET /authorize: session cookie
2 provider>browser done: 303 to redirect_uri: code, state, iss
3 browser>app unseen: is back at the app with the code
3 app>provider done: POST /token: code, code_verifier
3 provider>app done: 200: tokens, expires_in 300
`,
	}, {
		"a person says no",
		func(h *trace.Hub) {
			authorize(h, visible, toPage("/consent", sealed))
			visit(h, "consent", sealed, post, toPage("/authorize", sealed+"2"))
			authorize(h, visible, params("interaction", sealed+"2"), refused("access_denied", ""))
		},
		trace.FlowFailed, "", `
1 app>browser unseen: sends the browser to /authorize
1 browser>provider done: GET /authorize: no session cookie
0 provider>browser done: 303 to /consent
0 browser>provider done: POST /consent
0 provider>browser done: 303 to /authorize
0 browser>provider done: GET /authorize: no session cookie
2 provider>browser failed: 303 to redirect_uri: error=access_denied
3 browser>app unseen: tells the app: access_denied
`,
	}, {
		"a logout",
		func(h *trace.Hub) { visit(h, "logout", "") },
		trace.FlowDone, "", `
0 browser>provider done: GET /logout
0 provider>browser done: 200
`,
	}, {
		"metadata that a script may not read",
		func(h *trace.Hub) { visit(h, "discovery", "", foreign("https://x")) },
		trace.FlowFailed, "origin.not_allowed", `
0 app>provider done: GET /discovery
0 provider>app failed: 200, without CORS headers for https://x: the browser keeps it from the app [origin.not_allowed]
`,
	}, {
		"the application's clock is wrong",
		func(h *trace.Hub) {
			send(
				h,
				trace.Record{
					Endpoint:    "clock",
					ClockOffset: -2 * maxSkew,
					Params:      trace.Params(map[string][]string{"state": {state}}),
				},
				"",
				nil,
			)
		},
		trace.FlowDone, "clock.skew", `
0 app>provider failed: compares clocks [clock.skew]
`,
	}, {
		"the API refuses the token",
		func(h *trace.Hub) {
			authorize(h)
			token(h)
			api(h, func(r *trace.Record) { r.Status, r.Error = 401, "invalid_token" })
		},
		trace.FlowFailed, "", `
1 app>iframe unseen: opens a hidden iframe on /authorize
1 iframe>provider done: GET /authorize: prompt=none, session cookie
2 provider>iframe done: 303 to redirect_uri: code, state, iss
3 iframe>app unseen: passes the code to its parent
3 app>provider done: POST /token: code, code_verifier
3 provider>app done: 200: tokens, expires_in 300
4 app>api done: GET https://api.example/me: access_token
4 api>app failed: 401 invalid_token
`,
	},
}

func TestAFlowIsDrawnWithWhatTheProviderCannotSee(t *testing.T) {
	for _, row := range drawings {
		t.Run(row.text, func(t *testing.T) {
			h := newHub(t)
			row.happen(h)
			f := only(t, h)
			same(t, "the arrows", "\n"+arrows(f), row.arrows)
			same(t, "the state", f.State, row.state)
			same(t, "the reasons", strings.Join(reasons(f), " "), row.reasons)
		})
	}
}

func TestAPageOfTheProviderIsNoRedirect(t *testing.T) {
	for text, row := range map[string]struct {
		happen change
		isPage bool
	}{
		"a refusal by redirect":       {refused("login_required", "session.none"), false},
		"a refusal by a page":         {failed(400, "invalid_request", "redirect.unregistered"), true},
		"a page that the user sees":   {visibly(failed(400, "invalid_client", "client.unknown")), true},
		"a dropped connection":        {failed(0, "", ""), false},
		"a redirect to a page inside": {func(r *trace.Record) { r.Answer, r.Silent = nil, false }, false},
	} {
		t.Run(text, func(t *testing.T) {
			h := newHub(t)
			authorize(h, row.happen)
			found := false
			for _, m := range only(t, h).Messages {
				found = found || m.Page
			}
			same(t, "a message is a page", found, row.isPage)
		})
	}
}

func visibly(edit change) change {
	return func(r *trace.Record) { r.Silent, r.Fetch.Dest = false, "document"; edit(r) }
}
