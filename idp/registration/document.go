package registration

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hush-idp/hush/oidc"
)

// document is the JSON object of a request, before its members are checked.
type document map[string]json.RawMessage

// readDocument reads the body. RFC 7591 §3.1: the request is an HTTP POST "with a content type of "application/json"".
func readDocument(r *http.Request) (document, error) {
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != "application/json" {
		return nil, oidc.InvalidClientMetadata.Errorf(
			"the Content-Type is %.100q; expected application/json (RFC 7591 §3.1)", r.Header.Get("Content-Type"))
	}
	text := new(bytes.Buffer)
	decoder := json.NewDecoder(io.TeeReader(r.Body, text))
	var d document
	err, fault := decoder.Decode(&d), ""
	_, end := decoder.Token()
	switch {
	case err != nil:
		fault = oidc.JSONFault(err)
	case d == nil:
		fault = "it is null"
	case end != io.EOF:
		fault = "something follows the object"
	case !utf8.Valid(text.Bytes()): // the JSON library would replace such bytes
		fault = "it is not UTF-8 (RFC 8259 §8.1)"
	}
	if fault != "" {
		return nil, oidc.InvalidClientMetadata.Errorf("the body is no JSON object (RFC 7591 §3.1): %s", fault).Because(err)
	}
	// RFC 7592 §2.2 makes null and a missing member equal: here that is so for every member.
	maps.DeleteFunc(d, func(_ string, value json.RawMessage) bool { return string(value) == "null" })
	return d, nil
}

// own are the members of oidc.Client that only the configuration of the provider may set: trust, origins, lifetimes,
// and what APIs read in access tokens, by which they may decide what a user or a client can do.
var own = []string{
	"client_id", "client_secret", "first_party", "audience", "access_token_lifetime",
	"id_token_lifetime", "refresh_token_lifetime", "allowed_cors_origins",
	"access_token_type", "access_token_claims", "claims_mapping", "claims",
}

// metadata are the members that a client may set, by their exact names: package encoding/json would accept other
// spellings, such as FIRST_PARTY.
var metadata = metadataNames()

func metadataNames() (names []string) {
	for _, field := range reflect.VisibleFields(reflect.TypeFor[oidc.Client]()) {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); !slices.Contains(own, name) {
			names = append(names, name)
		}
	}
	return names
}

// client reads the metadata. RFC 7591 §2: "The authorization server MUST ignore any client metadata sent by the client
// that it does not understand".
func (d document) client() (oidc.Client, error) {
	known := document{}
	for _, name := range metadata {
		if value, ok := d[name]; ok {
			known[name] = value
		}
	}
	var client oidc.Client
	text, err := json.Marshal(known)
	if err == nil {
		err = json.Unmarshal(text, &client)
	}
	if err != nil {
		return oidc.Client{}, unreadable(err)
	}
	return client, nil
}

// unreadable says which member has the wrong type.
func unreadable(err error) error {
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case !ok || wrong.Field == "" || wrong.Field == "keys": // the only member with an UnmarshalJSON of its own
		return oidc.InvalidClientMetadata.Errorf("jwks cannot be read: write a JWK Set, {'keys': [...]} (RFC 7517 §5)").
			Because(err)
	case strings.HasPrefix(wrong.Field, "redirect_uris"):
		return oidc.InvalidRedirectURI.Errorf("redirect_uris holds a %s; expected an array of strings", wrong.Value).
			Because(err)
	}
	return oidc.InvalidClientMetadata.Errorf("%s is a %s, which it cannot be (RFC 7591 §2)", wrong.Field, wrong.Value).
		Because(err)
}

// text returns the string member of this name; empty if there is none.
func (d document) text(name string) string {
	var text string
	_ = json.Unmarshal(d[name], &text) // a value of another type counts as empty
	return text
}

// withDefaults adds the default of each member that is missing (RFC 7591 §2, Registration §2).
func withDefaults(c oidc.Client, signingAlg string) oidc.Client {
	c.TokenEndpointAuthMethod = cmp.Or(c.TokenEndpointAuthMethod, oidc.AuthMethodBasic)
	c.ApplicationType = cmp.Or(c.ApplicationType, "web")
	c.SubjectType = cmp.Or(c.SubjectType, oidc.SubjectPublic)
	c.IDTokenSignedResponseAlg = cmp.Or(c.IDTokenSignedResponseAlg, signingAlg)
	if len(c.GrantTypes) == 0 {
		c.GrantTypes = []string{oidc.GrantAuthorizationCode}
	}
	if c.ResponseTypes == nil && c.Grants(oidc.GrantAuthorizationCode) {
		c.ResponseTypes = []string{"code"}
	}
	if c.RedirectURIs == nil {
		c.RedirectURIs = []string{}
	}
	if c.IDTokenEncryptedResponseAlg != "" {
		c.IDTokenEncryptedResponseEnc = cmp.Or(c.IDTokenEncryptedResponseEnc, oidc.DefaultEnc)
	}
	if c.UserinfoEncryptedResponseAlg != "" {
		c.UserinfoEncryptedResponseEnc = cmp.Or(c.UserinfoEncryptedResponseEnc, oidc.DefaultEnc)
	}
	return c
}
