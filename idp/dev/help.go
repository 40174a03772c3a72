package dev

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/dev/console"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// Help implements idp.DevelopmentSite. Nobody sees an error under prompt=none in a hidden iframe, so the application of
// the request may frame the page and gets a message from it.
func (s *site) Help(r *http.Request, page *pages.Error, e *oidc.Error) (framedBy string) {
	if e.Reason == "" {
		return ""
	}
	page.Reason, page.ReasonURL = string(e.Reason), s.Config.Issuer+idp.PathReasons+string(e.Reason)
	params := paramsOf(r)
	switch e.Reason {
	case oidc.RedirectUnregistered:
		page.Nearest, page.Difference = oidc.Nearest(page.Registered, params.Get("redirect_uri"))
	case oidc.ClientUnknown:
		page.YAML = ClientYAML(params.Get("client_id"), params.Get("redirect_uri"))
		u, err := url.Parse(params.Get("redirect_uri"))
		page.AnyClient = err == nil && s.Config.IsLocal(u.Hostname()) && !s.Config.AnyClient
	default:
		return s.parent(r, params, page)
	}
	// a page around a form could trick a person into pressing its button
	if framedBy = s.parent(r, params, page); framedBy == "" {
		page.Remedy = s.remedy(r, params)
	}
	return framedBy
}

// isOurHost reports whether the request is for one of our own host names. A page at another name that resolves to this
// machine (DNS rebinding) must not get the console's token.
func (s *site) isOurHost(r *http.Request) bool {
	scheme, _, _ := strings.Cut(s.Config.Issuer, "://")
	isAsked := func(issuer string) bool { return oidc.Origin(issuer) == scheme+"://"+r.Host }
	return slices.ContainsFunc(s.issuers, isAsked)
}

// remedy offers to register the redirect_uri, on a page at one of our own host names.
func (s *site) remedy(r *http.Request, params url.Values) *pages.Remedy {
	if r.Method != http.MethodGet || !s.isOurHost(r) || oidc.Origin(params.Get("redirect_uri")) == "" {
		return nil
	}
	clientID := params.Get("client_id")
	return &pages.Remedy{
		// the client_id may come from any link
		Action:   console.Path + "/clients/" + url.PathEscape(clientID) + "/redirect_uris",
		ClientID: clientID, RedirectURI: params.Get("redirect_uri"), ReturnTo: r.URL.RequestURI(), Token: s.token,
	}
}

// parent returns the origin of the page that frames this one: the origin of the redirect_uri, else of the Referer. Some
// client must have registered the origin.
func (s *site) parent(r *http.Request, params url.Values, page *pages.Error) string {
	if r.URL.Path != session.PathAuthorize || !isSilent(params) || r.Header.Get("Sec-Fetch-Dest") != "iframe" {
		return ""
	}
	for _, address := range []string{params.Get("redirect_uri"), r.Referer()} {
		if origin := oidc.Origin(address); s.Clients.AllowsOrigin(r.Context(), origin) {
			page.TellOrigin = origin
			return origin
		}
	}
	return ""
}
