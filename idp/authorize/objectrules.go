package authorize

import (
	"slices"
	"strings"

	"github.com/hush-idp/hush/oidc"
)

// headerRules are judged before a key is looked for.
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
	Help: "both are the client's own",
}, {
	Spec: "RFC 9101 §4", Text: "iss of the request object, where it is given, is the client_id",
	Else:  oidc.InvalidRequestObject,
	Holds: func(o unread) bool { return o.members["iss"] == nil || o.members.string("iss") == o.client.ClientID },
	Help:  "the client is the issuer of its request",
}, {
	Spec: "RFC 9101 §4", Text: "aud of the request object, where it is given, holds this provider's issuer",
	Else:  oidc.InvalidRequestObject,
	Holds: func(o unread) bool { return o.members["aud"] == nil || o.members.audience().Has(o.issuer) },
	Help:  "take the issuer from the metadata, to the letter",
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
