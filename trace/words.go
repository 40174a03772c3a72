package trace

import (
	"fmt"
	"strconv"
	"strings"
)

// request is what was asked, in a line.
func request(r *Record) string {
	line := strings.TrimSpace(r.Method + " " + r.Path)
	if r.preflight() {
		return line + " (preflight)"
	}
	var with []string
	switch r.Endpoint {
	case "authorize":
		with = asked(r)
	case "token":
		with = names(r.Params, "refresh_token", "code", "code_verifier", "client_secret", "client_assertion")
	case "revoke", "introspect":
		with = names(r.Params, "token")
	case "userinfo", "api":
		with = []string{"access_token"}
	}
	if len(with) == 0 {
		return line
	}
	return line + ": " + strings.Join(with, ", ")
}

// asked is what matters most of an authorization request.
func asked(r *Record) []string {
	var with []string
	if r.Silent {
		with = append(with, "prompt=none")
	}
	for _, cookie := range r.Cookies {
		switch {
		case cookie.Session && cookie.Direction == "sent":
			return append(with, "session cookie")
		case cookie.Session && cookie.Direction == "overlooked":
			return append(with, "session cookie (overlooked on purpose)")
		}
	}
	return append(with, "no session cookie")
}

// names returns the wanted names that are among the values.
func names(values []Value, wanted ...string) []string {
	var found []string
	for _, name := range wanted {
		if has(values, name) {
			found = append(found, name)
		}
	}
	return found
}

// answer is what was answered, in a line.
func answer(r *Record) string {
	status := strconv.Itoa(r.Status)
	switch {
	case r.dropped():
		return "no answer: the connection was dropped"
	case r.Reason == originNotAllowed:
		return status + ", without CORS headers for " + r.Origin + ": the browser keeps it from the app"
	case r.answered():
		return status + way(r) + strings.Join(result(r), ", ")
	case r.lost():
		return strings.TrimSpace(status + ", a page instead of a redirect " + r.Error)
	case r.redirects():
		return status + " to " + path(r.Location)
	case r.Endpoint == "token" && has(r.Answer, "expires_in"):
		return fmt.Sprintf("%s: tokens, expires_in %s", status, text(r.Answer, "expires_in"))
	case r.Status == 0:
		return "no answer: " + r.Error
	}
	return strings.TrimSpace(status + " " + r.Error)
}

// way is how the answer gets to the redirect_uri (OAuth 2.0 Form Post Response Mode:
// https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html).
func way(r *Record) string {
	if r.redirects() {
		return " to redirect_uri: "
	}
	return ", a form that posts itself to redirect_uri: "
}

// result is what the client learns at its redirect_uri.
func result(r *Record) []string {
	if has(r.Answer, "error") {
		return []string{"error=" + text(r.Answer, "error")}
	}
	return names(r.Answer, "code", "state", "iss")
}

// path is the address without its scheme and host.
func path(uri string) string {
	_, rest, absolute := strings.Cut(uri, "://")
	if at := strings.IndexByte(rest, '/'); absolute && at >= 0 {
		return rest[at:]
	}
	return uri
}
