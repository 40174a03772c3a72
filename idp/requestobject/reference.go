package requestobject

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/hush-idp/hush/oidc"
)

// Fetch reads the request object behind a request_uri of the client, which must be registered. Core §6.2: the contents may
// change only with the fragment, which then is "the base64url-encoded SHA-256 hash of the file contents". Its errors are
// invalid_request_uri (RFC 9101 §7).
// https://openid.net/specs/openid-connect-core-1_0.html#RequestUriParameter
func (r *Reader) Fetch(ctx context.Context, client oidc.Client, requestURI string) (Object, error) {
	if !isRegistered(client, requestURI) {
		return Object{}, oidc.InvalidRequestURI.Errorf(
			"request_uri %.200q is not one of the client's registered request_uris (Registration §2); only what stands behind # may differ", requestURI).Blame(oidc.RequestMalformed)
	}
	address, fragment, _ := strings.Cut(requestURI, "#")
	content, err := r.Get(ctx, address)
	if err != nil {
		return Object{}, oidc.InvalidRequestURI.Errorf("request_uri %.200q gives no request object: %s", requestURI, r.Why(err)).Because(err).Blame(oidc.RequestMalformed)
	}
	if isHash(fragment) && fragment != hash(content) {
		return Object{}, oidc.InvalidRequestURI.Errorf(
			"behind request_uri is another content than its fragment says (Core §6.2): write the new hash %s there when the content changes", hash(content)).Blame(oidc.RequestMalformed)
	}
	return r.Read(ctx, client, strings.TrimSpace(string(content)))
}

// isRegistered compares without the fragments, since a hash changes with the content.
func isRegistered(client oidc.Client, requestURI string) bool {
	bare, _, _ := strings.Cut(requestURI, "#")
	return slices.ContainsFunc(client.RequestURIs, func(registered string) bool {
		registered, _, _ = strings.Cut(registered, "#")
		return registered == bare
	})
}

// isHash tells whether the fragment has the form of a SHA-256; what has another form means nothing here.
func isHash(fragment string) bool {
	sum, err := base64.RawURLEncoding.DecodeString(fragment)
	return err == nil && len(sum) == sha256.Size
}

func hash(content []byte) string {
	sum := sha256.Sum256(content)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
