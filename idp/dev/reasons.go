package dev

import (
	"net/http"
	"strings"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/oidc"
)

// reasonEndpoints are the pages that error_uri leads to.
func (s *site) reasonEndpoints() []endpoint.Endpoint {
	page := endpoint.Endpoint{Name: "reasons", Methods: []string{http.MethodGet}, Audience: endpoint.Visitors,
		Untraced: true}
	list, one, bare := page, page, page
	list.Path, list.Serve = idp.PathReasons, s.listReasons
	one.Path, one.Serve = idp.PathReasons+"{code}", s.explainReason
	bare.Path, bare.Serve = strings.TrimSuffix(idp.PathReasons, "/"), func(w http.ResponseWriter, r *http.Request) error {
		http.Redirect(w, r, idp.PathReasons, http.StatusSeeOther)
		return nil
	}
	return []endpoint.Endpoint{list, one, bare}
}

// frame is the frame of a page for developers, in English.
func (s *site) frame(r *http.Request, title string) pages.Frame {
	frame := s.Pages.Frame(r, s.Config.Issuer)
	frame.Title, frame.Language = title, ""
	return frame
}

// listReasons is GET /reasons/.
func (s *site) listReasons(w http.ResponseWriter, r *http.Request) error {
	page := pages.Reasons{Frame: s.frame(r, "Reasons"), Groups: ReasonGroups()}
	return s.Pages.Render(w, http.StatusOK, page, pages.Policy{})
}

// explainReason is GET /reasons/CODE, the error_uri of an error.
func (s *site) explainReason(w http.ResponseWriter, r *http.Request) error {
	reason, ok := ReasonByCode(oidc.Reason(r.PathValue("code")))
	if !ok {
		return endpoint.ErrNotFound
	}
	page := pages.Reason{Frame: s.frame(r, string(reason.Code)), Text: reason}
	return s.Pages.Render(w, http.StatusOK, page, pages.Policy{})
}
