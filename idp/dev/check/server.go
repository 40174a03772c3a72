package check

import "github.com/hush-idp/hush/trace"

// granted is the newest token request with a code or a refresh token.
func (v *view) granted() *event {
	return v.newest(func(r *trace.Record) bool { return grantOf(r) != "" })
}

// isOfScript reports whether a script in a browser sent the token request: each request by POST of a script has an
// Origin.
func isOfScript(r *trace.Record) bool { return r.Origin != "" || r.Fetch.Mode != "" }

// withoutBrowser is granted if no browser sent it. It is nil if a silent request came from an iframe: a server can
// redeem the code of an iframe, too.
func (v *view) withoutBrowser() *event {
	if e := v.granted(); e != nil && v.silent == nil && !isOfScript(e.record) {
		return e
	}
	return nil
}

// grantOf is the grant type of a token request with a code or a refresh token, else "".
func grantOf(r *trace.Record) string {
	switch grant := (&event{record: r}).param("grant_type"); {
	case r.Endpoint != "token" || r.Preflight():
		return ""
	case grant == "authorization_code", grant == "refresh_token":
		return grant
	}
	return ""
}

// concerning replaces the verdict of a check that says nothing about an app without a browser: of each check about a
// page, and of a check about a silent renewal that was not seen.
func (v *view) concerning(c Check, got verdict) verdict {
	e := v.withoutBrowser()
	switch isUnseen := got.outcome == NotSeen && c.about == aboutRenewal; {
	case e == nil, !isUnseen && c.about != aboutPage:
		return got
	case isUnseen && got.seen != "":
		return v.unseen(e, got.seen+"; ")
	}
	return v.unseen(e, "")
}

// unseen is the verdict about a silent renewal of an app that sent this token request without a browser.
func (v *view) unseen(e *event, seen string) verdict {
	seen += e.record.Method + " " + e.record.Path + " has no Origin"
	renewed := ""
	if v.newest(func(r *trace.Record) bool { return grantOf(r) == "refresh_token" && !isOfScript(r) }) != nil {
		renewed, seen = ", and renews with a refresh token", seen+", and the app used a refresh token"
	}
	return e.verdict(CannotSee, "%s", []any{seen}).inferring("No browser sent this request: the app redeems its codes " +
		"on a server" + renewed + ", or it is no web app. The check is for apps that renew in a browser, in a hidden iframe")
}
