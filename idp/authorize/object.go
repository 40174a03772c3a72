package authorize

import (
	"crypto/sha256"

	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejson "github.com/go-jose/go-jose/v4/json" // a name is that name, in one case and once

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/fetch"
	"github.com/hush-idp/hush/oidc"
)

// none is the alg of a request object without a signature (RFC 7518 §3.6).
const none = "none"

// ObjectReader reads the request objects of clients (RFC 9101, Core §6).
type ObjectReader struct {
	Issuer string
	Keys   *clients.Keys
	Fetch  *fetch.Client // for request_uri
	Now    func() time.Time
}

// objectTypes are the media types of a request object (RFC 9101 §9.4.1), and the types that servers of plain files give
// one.
var objectTypes = []string{
	"application/oauth-authz-req+jwt", "application/jwt", "+jwt", "application/jose", "text/plain",
	"application/octet-stream",
}

// Object is a request object whose signature and claims are good.
type Object struct {
	Params url.Values // by their names; client_id is always among them
	Signed bool       // by the client's key
}

// ObjectAlgorithms lists the values of alg in a request object's header that are understood.
func ObjectAlgorithms() []string { return []string{none, "RS256", "PS256", "ES256", "EdDSA"} }

// unread is a request object that is being read.
type unread struct {
	client     oidc.Client
	issuer     string
	now        time.Time
	parts      []string
	header     header
	unreadable error   // why it has no header
	members    members // of the payload, once the signature is verified
}

type header struct {
	Alg  string   `json:"alg"`
	Typ  string   `json:"typ"`
	Crit []string `json:"crit"`
}

// Read reads the request object. Its errors are invalid_request_object (RFC 9101 §7).
// https://www.rfc-editor.org/rfc/rfc9101#section-6
func (r *ObjectReader) Read(ctx context.Context, client oidc.Client, compact string) (Object, error) {
	object := unread{client: client, issuer: r.Issuer, now: r.Now(), parts: strings.Split(compact, ".")}
	object.unreadable = decode(object.parts[0], &object.header)
	if err := headerRules.Judge(ctx, object); err != nil {
		return Object{}, err
	}
	payload, err := r.payload(ctx, object, compact)
	if err != nil {
		return Object{}, invalid("its signature cannot be verified (RFC 9101 §6.2): %s", err)
	}
	if object.members, err = newMembers(payload); err != nil {
		return Object{}, invalid("its payload is no JSON object (RFC 9101 §4): %s", err)
	}
	if err := claimRules.Judge(ctx, object); err != nil {
		return Object{}, err
	}
	return Object{Params: object.members.params(client.ClientID), Signed: object.header.Alg != none}, nil
}

func decode(part string, header *header) error {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return josejson.Unmarshal(text, header)
}

// payload is what was signed, once the signature is good. RFC 9101 §6.2: "The signature MUST be validated using the
// associated key".
func (r *ObjectReader) payload(ctx context.Context, object unread, compact string) ([]byte, error) {
	if object.header.Alg != none {
		algs := []jose.SignatureAlgorithm{jose.SignatureAlgorithm(object.header.Alg)}
		_, payload, err := r.Keys.Verify(ctx, object.client, compact, algs)
		return payload, err
	}
	if object.parts[2] != "" {
		return nil, errors.New("its alg is none, and a signature is there (RFC 7518 §3.6)")
	}
	return base64.RawURLEncoding.DecodeString(object.parts[1])
}

// members are those of the payload.
type members map[string]any

func newMembers(payload []byte) (members, error) {
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber() // max_age comes back as it was written
	var m members
	if err := decoder.Decode(&m); err != nil {
		return nil, err
	}
	if m == nil || decoder.More() {
		return nil, errors.New("it is not one object")
	}
	return m, nil
}

// ofTheJWT are members about the request object itself (RFC 7519 §4.1), and no parameters.
var ofTheJWT = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}

// params are the members as they would have come in a URL. RFC 9101 §4: "Parameter names and string values are included
// as JSON strings. […] Numerical values are included as JSON numbers"; claims is an object (Core §6.1), and resource
// may be an array (RFC 8707 §2).
func (m members) params(clientID string) url.Values {
	params := url.Values{}
	for name, value := range m {
		if slices.Contains(ofTheJWT, name) {
			continue
		}
		list, isList := value.([]any)
		if !isList || name != "resource" {
			list = []any{value}
		}
		for _, one := range list {
			params.Add(name, text(one))
		}
	}
	params.Set("client_id", clientID)
	return params
}

func text(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return fmt.Sprint(v)
	}
	encoded, err := json.Marshal(value) // it was JSON a moment ago
	if err != nil {
		return ""
	}
	return string(encoded)
}

func (m members) string(name string) string {
	value, _ := m[name].(string)
	return value
}

// audience reads aud, a string or a list of them.
func (m members) audience() oidc.Audience {
	var audience oidc.Audience
	encoded, err := json.Marshal(m["aud"])
	if err != nil || json.Unmarshal(encoded, &audience) != nil {
		return nil
	}
	return audience
}

// time reads a NumericDate (RFC 7519 §2).
func (m members) time(name string) (at time.Time, ok bool) {
	number, _ := m[name].(json.Number)
	seconds, err := number.Float64()
	if err != nil || seconds < 0 || seconds > 1e11 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// isPast tells whether a time, where it is given, is not in the future, apart from oidc.MaxClockSkew.
func (m members) isPast(name string, now time.Time) bool {
	at, ok := m.time(name)
	return m[name] == nil || ok && !at.After(now.Add(oidc.MaxClockSkew))
}

func invalid(format string, a ...any) *oidc.Error {
	return oidc.InvalidRequestObject.Errorf("the request object is not good: "+format, a...).Blame(oidc.RequestMalformed)
}

// ReadAt reads the request object behind a request_uri of the client, which must be registered. Core §6.2: the contents
// may change only with the fragment, which then is "the base64url-encoded SHA-256 hash of the file contents". Its
// errors are invalid_request_uri (RFC 9101 §7).
// https://openid.net/specs/openid-connect-core-1_0.html#RequestUriParameter
func (r *ObjectReader) ReadAt(ctx context.Context, client oidc.Client, requestURI string) (Object, error) {
	if !isRegistered(client, requestURI) {
		return Object{}, oidc.InvalidRequestURI.Errorf(
			"request_uri %.200q is not one of the client's registered request_uris (Registration §2); "+
				"only what stands behind # may differ", requestURI).Blame(oidc.RequestMalformed)
	}
	address, fragment, _ := strings.Cut(requestURI, "#")
	content, err := r.Fetch.GetType(ctx, address, objectTypes...)
	if err != nil {
		return Object{}, oidc.InvalidRequestURI.Errorf(
			"request_uri %.200q gives no request object: %s", requestURI, fetch.Why(err)).
			Because(err).Blame(oidc.RequestMalformed)
	}
	if isHash(fragment) && fragment != hash(content) {
		return Object{}, oidc.InvalidRequestURI.Errorf(
			"behind request_uri is another content than its fragment says (Core §6.2): "+
				"write the new hash %s there when the content changes", hash(content)).Blame(oidc.RequestMalformed)
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
