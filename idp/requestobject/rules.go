package requestobject

import (
	"slices"
	"strings"
	"time"

	"github.com/hush-idp/hush/oidc"
)

// headerRule is one sentence that the form of a request object must keep, before anybody looks for a key.
type headerRule struct {
	Spec, Text string
	holds      func(o unread) bool
	got        func(o unread) string // what came instead; nil where that is plain
	help       string
}

// claimRule is one sentence that its claims must keep.
type claimRule struct {
	Spec, Text string
	holds      func(o unread, m members) bool
	help       string
}

// skew is how far the client's clock may be ahead. FAPI 2.0 §5.3.2.1 wants 10 seconds accepted and more than 60 rejected.
const skew = 30 * time.Second

var headerRules = []headerRule{
	{
		Spec: "RFC 9101 §6.1", Text: "the request object is not encrypted",
		holds: func(o unread) bool { return len(o.parts) != 5 },
		help:  "sign it only, or push the request (RFC 9126)",
	},
	{
		Spec: "RFC 9101 §4", Text: "the request object is a JWT of three parts with a header in JSON",
		holds: func(o unread) bool { return len(o.parts) == 3 && o.unreadable == nil },
		help:  "send the compact form: header.payload.signature in base64url, with an empty signature for alg none",
	},
	{
		Spec: "RFC 9101 §10.8", Text: "its typ is oauth-authz-req+jwt, JWT, or left out",
		holds: func(o unread) bool { return isTyp(o.header.Typ) },
		got:   func(o unread) string { return o.header.Typ },
		help:  "a JWT that was made for something else is no request",
	},
	{
		Spec: "RFC 7515 §4.1.11", Text: "it has no crit header",
		holds: func(o unread) bool { return o.header.Crit == nil },
		help:  "this provider understands no extensions of JWS",
	},
	{
		Spec: "RFC 9101 §6.2", Text: "its alg is one that this provider knows: " + strings.Join(Algorithms(), ", "),
		holds: func(o unread) bool { return slices.Contains(Algorithms(), o.header.Alg) },
		got:   func(o unread) string { return o.header.Alg },
		help:  "the metadata has the list as request_object_signing_alg_values_supported",
	},
	{
		Spec: "Registration §2", Text: "its alg is the client's registered request_object_signing_alg",
		holds: func(o unread) bool {
			return o.client.RequestObjectSigningAlg == "" || o.header.Alg == o.client.RequestObjectSigningAlg
		},
		got:  func(o unread) string { return o.header.Alg + " instead of " + o.client.RequestObjectSigningAlg },
		help: "sign with the alg that was registered",
	},
	{
		Spec: "RFC 9101 §10.5", Text: "it is signed if the client has require_signed_request_object",
		holds: func(o unread) bool { return o.header.Alg != none || !o.client.RequireSignedRequestObject },
		help:  "alg none is not for this client",
	},
	{
		Spec: "FAPI 2.0 §5.4.1", Text: "it is signed with PS256, ES256 or EdDSA if the client has the profile fapi2",
		holds: func(o unread) bool {
			return !o.client.FAPI2() || slices.Contains([]string{"PS256", "ES256", "EdDSA"}, o.header.Alg)
		},
		got:  func(o unread) string { return o.header.Alg },
		help: "use one of the three",
	},
}

var claimRules = []claimRule{
	{
		Spec: "RFC 9101 §4", Text: "request and request_uri are not inside a request object",
		holds: func(_ unread, m members) bool { return m["request"] == nil && m["request_uri"] == nil },
		help:  "one request object is enough",
	},
	{
		Spec: "RFC 9101 §5", Text: "client_id inside is the client_id outside",
		holds: func(o unread, m members) bool {
			return m["client_id"] == nil || m.string("client_id") == o.client.ClientID
		},
		help: "both are the client's own",
	},
	{
		Spec: "RFC 9101 §4", Text: "iss, where it is given, is the client_id",
		holds: func(o unread, m members) bool { return m["iss"] == nil || m.string("iss") == o.client.ClientID },
		help:  "the client is the issuer of its request",
	},
	{
		Spec: "RFC 9101 §4", Text: "aud, where it is given, holds this provider's issuer",
		holds: func(o unread, m members) bool { return m["aud"] == nil || m.audience().Has(o.issuer) },
		help:  "take the issuer from the metadata, to the letter",
	},
	{
		Spec: "RFC 7519 §4.1.4", Text: "exp, where it is given, is in the future",
		holds: func(o unread, m members) bool {
			at, ok := m.time("exp")
			return m["exp"] == nil || ok && o.now.Before(at)
		},
		help: "make a request object for each request; do the clocks agree?",
	},
	{
		Spec: "RFC 7519 §4.1.5", Text: "nbf, where it is given, is not in the future",
		holds: func(o unread, m members) bool { return m.isPast("nbf", o.now) },
		help:  "do the clocks agree?",
	},
	{
		Spec: "FAPI 2.0 §5.3.2.1", Text: "iat, where it is given, is not in the future",
		holds: func(o unread, m members) bool { return m.isPast("iat", o.now) },
		help:  "do the clocks agree?",
	},
	{
		Spec: "RFC 9101 §10.8", Text: "sub is not the client_id: that is a client assertion",
		holds: func(o unread, m members) bool { return m.string("sub") != o.client.ClientID },
		help:  "leave sub out",
	},
}

func isTyp(typ string) bool {
	typ = strings.TrimPrefix(strings.ToLower(typ), "application/") // RFC 7515 §4.1.9
	return typ == "" || typ == "jwt" || typ == "oauth-authz-req+jwt"
}

func (rule headerRule) broken(o unread) *oidc.Error {
	if rule.got == nil {
		return invalid("expected: %s (%s); %s", rule.Text, rule.Spec, rule.help)
	}
	return invalid("expected: %s (%s); got: %.100q; %s", rule.Text, rule.Spec, rule.got(o), rule.help)
}

func (rule claimRule) broken() *oidc.Error {
	return invalid("expected: %s (%s); %s", rule.Text, rule.Spec, rule.help)
}
