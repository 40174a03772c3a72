package clientauth

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hush-idp/hush/oidc"
)

// ReadForm reads the body. RFC 6749 §3.2: "Request and response parameters MUST NOT be included more than once"; parameters
// in the URL do not count, since URLs end in logs. The one exception is resource: RFC 8707 §2: "Multiple resource parameters MAY be
// used".
func ReadForm(r *http.Request) (url.Values, error) {
	const want = "application/x-www-form-urlencoded"
	if media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); !strings.EqualFold(strings.TrimSpace(media), want) {
		return nil, oidc.InvalidRequest.Errorf("the Content-Type is %.100q; expected %s (RFC 6749 §4.1.3)", media, want)
	}
	if err := r.ParseForm(); err != nil {
		return nil, oidc.InvalidRequest.Errorf("the form in the body cannot be read: %s", oidc.FormFault(err)).Because(err)
	}
	for _, name := range slices.Sorted(maps.Keys(r.PostForm)) {
		values := r.PostForm[name]
		switch {
		case len(values) > 1 && name != "resource":
			return nil, oidc.InvalidRequest.Errorf("%.50q came %d times; send each parameter once (RFC 6749 §3.2)", name, len(values))
		case !utf8.ValidString(strings.Join(values, "")):
			return nil, oidc.InvalidRequest.Errorf("%.50q is not UTF-8 (RFC 6749 appendix B)", name)
		}
	}
	return r.PostForm, nil
}
