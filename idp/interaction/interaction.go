// Package interaction carries an authorization request across the pages that a person has to see on the way: sign in,
// choose an account, allow. It holds nothing on the server:
//
//	/authorize?client_id=…  ── seal ──► /login?interaction=…  ── the form ──► /authorize?interaction=…  ── open ──► judged again
//
// The parameters travel in the browser, signed so that nobody can change them between the pages, and are judged anew when
// they come back. So an anonymous visitor costs no memory, a sign-in page left open over lunch still works, and any
// replica can go on where another began. When the request began travels with it: prompt=login is fulfilled by an auth_time
// after it.
package interaction

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/gorilla/securecookie"

	"github.com/hush-idp/hush/oidc"
)

// Param is the name of the parameter, and of the hidden form field, that carries something sealed.
const Param = "interaction"

// The paths that a request passes: where it is judged, and the pages that it may have to wait at.
const (
	PathAuthorize     = "/authorize"
	PathLogin         = "/login"
	PathConsent       = "/consent"
	PathSelectAccount = "/select_account"
	PathDevice        = "/device"
)

// Purposes of a Seal. What was sealed for one opens for no other.
const (
	ForAuthorize = "interaction"
	ForLogout    = "logout"
)

// Interaction is an authorization request that waits for a person.
type Interaction struct {
	Params    url.Values `json:"params"`     // as they came to /authorize
	StartedAt time.Time  `json:"started_at"` // when they first came

	// How they came. FromObject: in a signed request object (RFC 9101). RequestURI: pushed, and to be spent with the code (RFC 9126).
	FromObject bool   `json:"from_object,omitempty"`
	RequestURI string `json:"request_uri,omitempty"`

	// What the page needs to know, as /authorize judged it.
	ClientID string     `json:"client_id"`
	Sub      string     `json:"sub,omitempty"`    // whose consent is asked
	Scope    oidc.Scope `json:"scope,omitempty"`  // for what
	Reason   string     `json:"reason,omitempty"` // why a person must see the page: a word for which the pages have a sentence

	// Path is where the request is judged. Empty: PathAuthorize.
	Path string `json:"path,omitempty"`

	// Denied is set on the way back when the person said no, and in which way.
	Denied string `json:"denied,omitempty"`
}

// Back is where the request is judged, once the person has seen the page.
func (i Interaction) Back() string { return cmp.Or(i.Path, PathAuthorize) }

// Seal signs values of one type for one purpose and reads them back: Interactions for /authorize, and a logout request for
// the page that asks.
type Seal[T any] struct {
	Purpose string
	Codecs  []securecookie.Codec
}

// ErrStale is in the error of a sealed value that does not open: it is too old, or was not sealed here.
var ErrStale = errors.New("what is sealed does not open")

// Close returns the value as an opaque string fit for a URL: signed, not encrypted.
func (s Seal[T]) Close(value T) (string, error) {
	return securecookie.EncodeMulti(s.Purpose, value, s.Codecs...)
}

// Open reads what Close returned. Anything else is an invalid_request that tells a person what to do.
func (s Seal[T]) Open(sealed string) (T, error) {
	var value T
	if err := securecookie.DecodeMulti(s.Purpose, sealed, &value, s.Codecs...); err != nil {
		err = fmt.Errorf("%w: %w", ErrStale, err)
		return value, oidc.InvalidRequest.Errorf("this page belongs to no sign-in that the provider knows: " +
			"it was changed, is too old, or the provider was restarted; go back to the application and start again").Because(err)
	}
	return value, nil
}
