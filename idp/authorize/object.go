package authorize

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
	josejson "github.com/go-jose/go-jose/v4/json" // names are case-sensitive and unique

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/fetch"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// none is the alg of a request object without a signature (RFC 7518 §3.6).
const none = "none"

// signedFor is the longest time from nbf to exp of a request object of a client with profile fapi2, and the greatest
// age of its nbf.
const signedFor = time.Hour

// ObjectReader reads the request objects of clients (RFC 9101, Core §6).
type ObjectReader struct {
	Issuer    string
	Keys      *clients.Keys
	Documents *fetch.Cache // for request_uri
	Now       func() time.Time
}

// objectTypes are the media types of a request object (RFC 9101 §9.4.1), and other types that file servers send.
var objectTypes = []string{
	"application/oauth-authz-req+jwt", "application/jwt", "+jwt", "application/jose", "text/plain",
	"application/octet-stream",
}

// Object is a request object with a good signature and good claims.
type Object struct {
	Params url.Values // with client_id
	Signed bool       // by the client's key
}

// ObjectAlgorithms lists the supported values of alg in a request object's header.
func ObjectAlgorithms() []string { return []string{none, "RS256", "PS256", "ES256", "EdDSA"} }

// unread is a request object that is being read.
type unread struct {
	client     *oidc.Client
	issuer     string
	now        time.Time
	parts      []string
	header     header
	unreadable error   // the error of reading the header
	members    members // of the payload, once the signature is verified
}

type header struct {
	Alg  string   `json:"alg"`
	Typ  string   `json:"typ"`
	Crit []string `json:"crit"`
}

// Read reads a request object (RFC 9101 §6). Its errors are invalid_request_object.
func (r *ObjectReader) Read(ctx context.Context, client *oidc.Client, compact string) (Object, error) {
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

// payload verifies the signature (RFC 9101 §6.2) and returns the payload.
func (r *ObjectReader) payload(ctx context.Context, object unread, compact string) ([]byte, error) {
	if object.header.Alg != none {
		algs := []jose.SignatureAlgorithm{jose.SignatureAlgorithm(object.header.Alg)}
		_, payload, err := r.Keys.Verify(ctx, object.client, compact, algs)
		return payload, err
	}
	if object.parts[2] != "" {
		return nil, errors.New("its alg is none, and a signature is there (RFC 7518 §3.6)")
	}
	payload, err := base64.RawURLEncoding.DecodeString(object.parts[1])
	if err != nil {
		return nil, errors.New("its payload is not in base64url")
	}
	return payload, nil
}

// members are the members of the payload.
type members map[string]any

func newMembers(payload []byte) (members, error) {
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber() // max_age stays as the client wrote it
	var m members
	if err := decoder.Decode(&m); err != nil {
		return nil, errors.New(oidc.JSONFault(err))
	}
	if _, end := decoder.Token(); m == nil || end != io.EOF {
		return nil, errors.New("it is not one object")
	}
	if !utf8.Valid(payload) { // the JSON library replaces such bytes
		return nil, errors.New("it is not UTF-8 (RFC 8259 §8.1)")
	}
	return m, nil
}

// jwtClaims are members about the request object itself (RFC 7519 §4.1). They are not parameters.
var jwtClaims = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}

// params returns the members as URL parameters. Values are strings or numbers (RFC 9101 §4); claims is an object (Core
// §6.1), and resource may be an array (RFC 8707 §2).
func (m members) params(clientID string) url.Values {
	params := url.Values{}
	for name, value := range m {
		if slices.Contains(jwtClaims, name) {
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
	}
	encoded, _ := json.Marshal(value) // no error: the value was read from JSON
	return string(encoded)
}

func (m members) string(name string) string {
	value, _ := m[name].(string)
	return value
}

// isFor tells whether aud, a string or a list of strings, has the issuer.
func (m members) isFor(issuer string) bool {
	list, _ := m["aud"].([]any)
	return m["aud"] == issuer || slices.Contains(list, any(issuer))
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

// isPast tells whether the time is missing, or more than oidc.MaxClockSkew in the past.
func (m members) isPast(name string, now time.Time) bool {
	at, ok := m.time(name)
	return m[name] == nil || ok && !at.After(now.Add(oidc.MaxClockSkew))
}

func invalid(format string, a ...any) *oidc.Error {
	return oidc.InvalidRequestObject.Errorf("the request object is not good: "+format, a...).Blame(oidc.RequestMalformed)
}

// ReadAt fetches a request object from a registered request_uri of the client. A fragment may be the hash of the
// content (Core §6.2); it is for caches, so another hash is only noted in the trace. Its errors are invalid_request_uri
// (RFC 9101 §7), or those of Read.
func (r *ObjectReader) ReadAt(ctx context.Context, client *oidc.Client, requestURI string) (Object, error) {
	if !isRegistered(client, requestURI) {
		return Object{}, oidc.InvalidRequestURI.Errorf(
			"request_uri %.200q is not one of the client's registered request_uris (Registration §2); "+
				"only the part behind # may differ", requestURI).Blame(oidc.RequestMalformed)
	}
	content, err := r.Documents.Get(ctx, requestURI, objectTypes...)
	if err != nil {
		return Object{}, oidc.InvalidRequestURI.Errorf(
			"request_uri %.200q gives no request object: %s", requestURI, fetch.Why(err)).
			Because(err).Blame(oidc.RequestMalformed)
	}
	_, fragment, _ := strings.Cut(requestURI, "#")
	claimed, _ := base64.RawURLEncoding.DecodeString(fragment)
	if sum := sha256.Sum256(content); len(claimed) == len(sum) && !bytes.Equal(claimed, sum[:]) {
		trace.Emit(ctx, trace.Step{Kind: trace.KindRule, Spec: "Core §6.2", Outcome: trace.Noted,
			Text: "the fragment of request_uri is not the SHA-256 of the content in base64url; the request goes on"})
	}
	return r.Read(ctx, client, strings.TrimSpace(string(content)))
}

// isRegistered compares without the fragments, since a hash changes with the content.
func isRegistered(client *oidc.Client, requestURI string) bool {
	bare, _, _ := strings.Cut(requestURI, "#")
	return slices.ContainsFunc(client.RequestURIs, func(registered string) bool {
		registered, _, _ = strings.Cut(registered, "#")
		return registered == bare
	})
}

// headerRules are judged before the provider looks for a key.
var headerRules = oidc.Table[unread]{{
	Spec: "RFC 9101 §6.1", Text: "the request object is not encrypted", Else: oidc.InvalidRequestObject,
	Holds: func(o unread) bool { return len(o.parts) != 5 },
	Help:  "sign it only, or push the request (RFC 9126)",
}, {
	Spec: "RFC 9101 §4", Text: "the request object is a JWT of three parts with a header in JSON",
	Else:  oidc.InvalidRequestObject,
	Holds: func(o unread) bool { return len(o.parts) == 3 && o.unreadable == nil },
	Help:  "send the compact form: header.payload.signature in base64url, with an empty signature for alg none",
}, {
	Spec: "RFC 9101 §10.8", Text: "typ of the request object is oauth-authz-req+jwt, JWT, or left out",
	Else:  oidc.InvalidRequestObject,
	Holds: func(o unread) bool { return isTyp(o.header.Typ) },
	Got:   func(o unread) string { return quote(o.header.Typ) },
	Help:  "a JWT that was made for something else is no request",
}, {
	Spec: "RFC 7515 §4.1.11", Text: "the request object has no crit header", Else: oidc.InvalidRequestObject,
	Holds: func(o unread) bool { return o.header.Crit == nil },
	Help:  "this provider understands no extensions of JWS",
}, {
	Spec:  "RFC 9101 §6.2",
	Text:  "alg of the request object is one that this provider knows: " + strings.Join(ObjectAlgorithms(), ", "),
	Else:  oidc.InvalidRequestObject,
	Holds: func(o unread) bool { return slices.Contains(ObjectAlgorithms(), o.header.Alg) },
	Got:   func(o unread) string { return quote(o.header.Alg) },
	Help:  "the metadata has the list as request_object_signing_alg_values_supported",
}, {
	Spec: "Registration §2", Text: "alg of the request object is the client's registered request_object_signing_alg",
	Else: oidc.InvalidRequestObject,
	Holds: func(o unread) bool {
		return o.client.RequestObjectSigningAlg == "" || o.header.Alg == o.client.RequestObjectSigningAlg
	},
	Got:  func(o unread) string { return quote(o.header.Alg) + " instead of " + o.client.RequestObjectSigningAlg },
	Help: "sign with the alg that was registered",
}, {
	Spec: "RFC 9101 §10.5", Text: "the request object is signed if the client has require_signed_request_object",
	Else:  oidc.InvalidRequestObject,
	Holds: func(o unread) bool { return o.header.Alg != none || !o.client.RequireSignedRequestObject },
	Help:  "alg none is not for this client",
}, {
	Spec: "FAPI 2.0 §5.4.1",
	Text: "the request object is signed with PS256, ES256 or EdDSA if the client has the profile fapi2",
	Else: oidc.InvalidRequestObject,
	Holds: func(o unread) bool {
		return !o.client.FAPI2() || slices.Contains([]string{"PS256", "ES256", "EdDSA"}, o.header.Alg)
	},
	Got: func(o unread) string { return quote(o.header.Alg) }, Help: "use one of the three",
}}

// claimRules are judged after the signature was verified.
var claimRules = oidc.Table[unread]{{
	Spec: "RFC 9101 §4", Text: "request and request_uri are not inside a request object",
	Else:  oidc.InvalidRequestObject,
	Holds: func(o unread) bool { return o.members["request"] == nil && o.members["request_uri"] == nil },
	Help:  "one request object is enough",
}, {
	Spec: "RFC 9101 §5", Text: "client_id inside the request object is the client_id beside it",
	Else: oidc.InvalidRequestObject,
	Holds: func(o unread) bool {
		return o.members["client_id"] == nil || o.members.string("client_id") == o.client.ClientID
	},
	Help: "both must be the client_id of this client",
}, {
	Spec: "RFC 9101 §4", Text: "iss of the request object, where it is given, is the client_id",
	Else:  oidc.InvalidRequestObject,
	Holds: func(o unread) bool { return o.members["iss"] == nil || o.members.string("iss") == o.client.ClientID },
	Help:  "the client is the issuer of its request",
}, {
	Spec: "RFC 9101 §4", Text: "aud of the request object, where it is given, holds this provider's issuer",
	Else:  oidc.InvalidRequestObject,
	Holds: func(o unread) bool { return o.members["aud"] == nil || o.members.isFor(o.issuer) },
	Help:  "take the issuer from the metadata, to the letter",
}, {
	Spec: "FAPI 2.0 Message Signing §5.3.1", Text: "the request object has an aud if the client has the profile fapi2",
	Else:  oidc.InvalidRequestObject,
	Holds: func(o unread) bool { return !o.client.FAPI2() || o.members["aud"] != nil },
	Help:  "put the issuer of the metadata there",
}, {
	Spec: "RFC 7519 §4.1.4", Text: "exp of the request object, where it is given, is in the future",
	Else: oidc.InvalidRequestObject,
	Holds: func(o unread) bool {
		at, ok := o.members.time("exp")
		return o.members["exp"] == nil || ok && o.now.Before(at)
	},
	Help: "make a request object for each request; do the clocks agree?",
}, {
	Spec: "RFC 7519 §4.1.5", Text: "nbf of the request object, where it is given, is not in the future",
	Else:  oidc.InvalidRequestObject,
	Holds: func(o unread) bool { return o.members.isPast("nbf", o.now) },
	Help:  "do the clocks agree?",
}, {
	Spec: "FAPI 2.0 Message Signing §5.3.1",
	Text: "the request object has an nbf of at most 60 minutes ago if the client has the profile fapi2",
	Else: oidc.InvalidRequestObject,
	Holds: func(o unread) bool {
		from, ok := o.members.time("nbf")
		return !o.client.FAPI2() || ok && o.now.Sub(from) <= signedFor
	},
	Help: "make a request object for each request, with the present time as nbf",
}, {
	Spec: "FAPI 2.0 Message Signing §5.3.1",
	Text: "the request object has an exp of at most 60 minutes after nbf if the client has the profile fapi2",
	Else: oidc.InvalidRequestObject,
	Holds: func(o unread) bool {
		from, _ := o.members.time("nbf")
		until, ok := o.members.time("exp")
		return !o.client.FAPI2() || ok && until.Sub(from) <= signedFor
	},
	Help: "a few minutes are enough",
}, {
	Spec: "FAPI 2.0 §5.3.2.1", Text: "iat of the request object, where it is given, is not in the future",
	Else:  oidc.InvalidRequestObject,
	Holds: func(o unread) bool { return o.members.isPast("iat", o.now) },
	Help:  "do the clocks agree?",
}, {
	Spec: "RFC 9101 §10.8", Text: "sub of the request object is not the client_id: that is a client assertion",
	Else:  oidc.InvalidRequestObject,
	Holds: func(o unread) bool { return o.members.string("sub") != o.client.ClientID },
	Help:  "leave sub out",
}}

func isTyp(typ string) bool {
	typ = strings.TrimPrefix(strings.ToLower(typ), "application/") // RFC 7515 §4.1.9
	return typ == "" || typ == "jwt" || typ == "oauth-authz-req+jwt"
}
