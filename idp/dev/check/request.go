package check

import (
	"slices"
	"strings"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

var requestChecks = []Check{
	{"request.iframe", "The silent request", "The app sends the request in a hidden iframe, with prompt=none",
		"Core §3.1.2.1", Renew, aboutRenewal, (*view).iframe},
	{"redirect.registered", "The silent request", "The redirect URI of the request is registered",
		"Core §3.1.2.1", SignIn, aboutApp, (*view).registered},
	{"request.openid", "The silent request", "The scope contains openid",
		"Core §3.1.2.1", SignIn, aboutApp, (*view).openid},
	{"request.pkce", "The silent request", "The request has a code_challenge of method S256",
		"RFC 9700 §2.1.1", SignIn, aboutApp, (*view).pkce},
	{"request.state", "The silent request", "The request has a state",
		"RFC 6749 §10.12", SignIn, aboutApp, (*view).state},
	{"request.nonce", "The silent request", "PKCE or a nonce detects a code of another sign-in",
		"RFC 9700 §2.1.1", SignIn, aboutApp, (*view).nonce},
	{"request.hint", "The silent request", "The silent request names the user in a hint",
		"Core §3.1.2.1", Renew, aboutRenewal, (*view).hint},
	{"request.response_mode", "The silent request", "The page in the iframe can read the answer",
		"OAuth 2.0 Multiple Response Type Encoding Practices §2.1", Renew, aboutRenewal, (*view).responseMode},
}

func (v *view) iframe() verdict {
	if v.silent != nil {
		return holds(v.silent, "%s %s with prompt=none came from an iframe", v.silent.record.Method, v.silent.record.Path)
	}
	byPage := v.newest(func(r *trace.Record) bool { return r.Fresh() && r.Silent })
	if byPage != nil {
		return notSeen("prompt=none came from a top-level page, and not from an iframe")
	}
	byToken := v.newest(func(r *trace.Record) bool { return r.Endpoint == "token" && r.Renews() })
	if byToken != nil {
		return notSeen("the app renewed with a refresh token").inferring("A library with a refresh token uses no iframe. " +
			"If you want that, the checks of the hidden iframe do not concern your app. Otherwise leave offline_access out " +
			"of the scope")
	}
	return notSeen("")
}

const longAddress = "the redirect_uri is longer than the 300 characters that the trace keeps"

func (v *view) registered() verdict {
	e := v.request()
	if e == nil {
		return notSeen("")
	}
	switch uri := e.param("redirect_uri"); {
	case uri == "":
		return fails(e, "the request has no redirect_uri").because(oidc.RequestMalformed)
	case strings.HasSuffix(uri, "…"):
		return cannotSee(longAddress)
	case oidc.MatchRedirectURI(v.Client.RedirectURIs, uri):
		return holds(e, "%s", uri)
	default:
		return unregistered(e, uri, v.Client.RedirectURIs)
	}
}

// unregistered is the verdict about an address of the app that is none of the registered ones.
func unregistered(e *event, uri string, registered []string) verdict {
	found := fails(e, "%s is not registered", uri).because(oidc.RedirectUnregistered)
	if nearest, difference := oidc.Nearest(registered, uri); nearest != "" {
		found.seen += "; the most similar registered one is " + nearest + " (" + difference + ")"
	}
	return found
}

func (v *view) openid() verdict {
	e := v.request()
	if e == nil {
		return notSeen("")
	}
	scope := e.param("scope")
	if slices.Contains(oidc.ParseScope(scope), oidc.ScopeOpenID) {
		return holds(e, "scope=%s", scope)
	}
	return fails(e, "scope=%s", scope).because(oidc.RequestMalformed)
}

func (v *view) pkce() verdict {
	e := v.request()
	if e == nil {
		return notSeen("")
	}
	switch method := e.param("code_challenge_method"); {
	case e.param("code_challenge") == "":
		return fails(e, "the request has no code_challenge").because(oidc.PKCEMissing)
	case method != "S256":
		return fails(e, "code_challenge_method=%s", method).because(oidc.RequestMalformed)
	}
	return holds(e, "code_challenge_method=S256")
}

func (v *view) state() verdict {
	e := v.request()
	switch {
	case e == nil:
		return notSeen("")
	case e.param("state") == "":
		return fails(e, "the request has no state")
	}
	return holds(e, "the request has a state").inferring("The provider cannot see whether the app compares it")
}

func (v *view) nonce() verdict {
	e := v.request()
	switch {
	case e == nil:
		return notSeen("")
	case e.param("nonce") != "":
		return holds(e, "the request has a nonce").inferring("The provider cannot see whether the app compares it")
	case e.param("code_challenge") != "":
		return holds(e, "the request has no nonce, and a code_challenge")
	}
	return fails(e, "the request has neither a nonce nor a code_challenge")
}

func (v *view) hint() verdict {
	e := v.silent
	switch {
	case e == nil:
		return notSeen("")
	case e.param("id_token_hint") != "":
		return holds(e, "id_token_hint came")
	case e.param("login_hint") != "":
		return holds(e, "login_hint=%s", e.param("login_hint"))
	}
	return fails(e, "neither id_token_hint nor login_hint came").inferring("If a second user signs in with the same " +
		"browser, the answer is account_selection_required, or the tokens are those of the other user")
}

func (v *view) responseMode() verdict {
	e := v.silent
	if e == nil {
		return notSeen("")
	}
	mode, wanted := e.param("response_mode"), v.Library.ResponseMode
	if mode == "" {
		mode = "query"
	}
	switch {
	case wanted != "" && mode != wanted:
		return fails(e, "response_mode=%s", mode).inferring(v.Library.Name + " waits for " + wanted)
	case strings.HasPrefix(mode, "form_post") && v.Client.Public():
		return fails(e, "response_mode=%s",
			mode).inferring("The script of a page cannot read a form that was posted to the page")
	}
	return holds(e, "response_mode=%s", mode)
}
