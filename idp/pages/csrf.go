package pages

import (
	"cmp"
	"context"
	"net/http"

	"github.com/hush-idp/hush/idp/endpoint"
)

// Route is an endpoint with a page or a form of this provider.
func Route(method, name, path string, serve endpoint.Handler) endpoint.Endpoint {
	return endpoint.Endpoint{Name: name, Path: path, Methods: []string{method}, Audience: endpoint.People, Serve: serve}
}

// Redirect sends the browser to target by GET.
func Redirect(w http.ResponseWriter, r *http.Request, target string) error {
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

type csrfKey struct{}

// WithCSRF returns the request with the token that its forms must carry.
func WithCSRF(r *http.Request, token string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), csrfKey{}, token))
}

// CSRF returns the token that forms in the answer must carry; empty: the endpoint does not check one.
func CSRF(r *http.Request) string {
	token, _ := r.Context().Value(csrfKey{}).(string)
	return token
}

// Frame is the frame of a page that answers the request, in the person's language: the first of ui_locales or of
// Accept-Language that there are texts for (Core §3.1.2.1).
func (p *Pages) Frame(r *http.Request, issuer string) Frame {
	locales := cmp.Or(r.PostForm.Get("ui_locales"), r.Form.Get("ui_locales"), r.URL.Query().Get("ui_locales"))
	return Frame{Language: p.Language(r, locales), Issuer: issuer, CSRF: CSRF(r)}
}
