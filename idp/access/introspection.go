package access

import (
	"cmp"
	"context"
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// PathIntrospect is the path of the introspection endpoint.
const PathIntrospect = "/introspect"

// mediaJWT is the media type of an answer that is a JWT (RFC 9701 §5).
const mediaJWT = "application/" + keys.TypeIntrospection

// Introspection is the introspection endpoint (RFC 7662).
type Introspection struct {
	Issuer  string
	Auth    *clientauth.Authenticator
	Clients clients.Lookup
	Users   *users.Directory
	Grants  *grant.Grants
	Tokens  *Tokens
	Signer  keys.Signer
	Algs    []string // of answers that are a JWT
	// DefaultAlg is for clients that registered none.
	DefaultAlg string
	Now        func() time.Time
	Limit      endpoint.Limit
}

// Endpoints are POST /introspect.
func (e *Introspection) Endpoints() []endpoint.Endpoint {
	return []endpoint.Endpoint{{
		Name: "introspect", Path: PathIntrospect, Methods: []string{http.MethodPost}, Audience: endpoint.Programs,
		Serve: e.serve, Limit: e.Limit, Describe: e.describe,
	}}
}

func (e *Introspection) describe(m *oidc.Metadata) {
	m.IntrospectionEndpoint = e.Issuer + PathIntrospect
	m.IntrospectionEndpointAuthMethodsSupported = oidc.Scope(clientauth.Methods()).Without(oidc.Scope{oidc.AuthMethodNone})
	m.IntrospectionEndpointAuthSigningAlgValuesSupported = oidc.AssertionAlgs()
	m.IntrospectionSigningAlgValuesSupported = e.Algs
}

// serve answers as JSON, or as a JWT if the client asks for one by Accept (RFC 9701 §4) or registered an alg for it
// (§6).
func (e *Introspection) serve(w http.ResponseWriter, r *http.Request) error {
	info, client, err := e.introspect(r)
	if err != nil {
		return err
	}
	if client.IntrospectionSignedResponseAlg == "" && !accepts(r, mediaJWT) {
		return oidc.WriteJSON(w, http.StatusOK, info)
	}
	alg := cmp.Or(client.IntrospectionSignedResponseAlg, client.DefaultAlg(), e.DefaultAlg)
	answer := signedInfo{Issuer: e.Issuer, Audience: client.ClientID, IssuedAt: e.Now().Unix(), Info: info}
	jwt, err := e.Signer.Sign(r.Context(), alg, keys.TypeIntrospection, answer)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaJWT)
	_, err = w.Write([]byte(jwt))
	return err
}

// Info is what the answer says about a token (RFC 7662 §2.2; acr and auth_time: RFC 9470 §6.2).
type Info struct {
	Active       bool          `json:"active"`
	Scope        string        `json:"scope,omitempty"`
	ClientID     string        `json:"client_id,omitempty"`
	TokenType    string        `json:"token_type,omitempty"`
	Expiry       int64         `json:"exp,omitempty"`
	IssuedAt     int64         `json:"iat,omitempty"`
	Subject      string        `json:"sub,omitempty"`
	Audience     oidc.Audience `json:"aud,omitempty"`
	Issuer       string        `json:"iss,omitempty"`
	JTI          string        `json:"jti,omitempty"`
	Confirmation *Confirmation `json:"cnf,omitempty"` // RFC 9449 §6.2
	AuthTime     int64         `json:"auth_time,omitempty"`
	ACR          string        `json:"acr,omitempty"`
}

// signedInfo is an answer as a JWT. RFC 9701 §5: iss, aud, iat and token_introspection are required, and "sub" and
// "exp" MUST NOT stand beside them, "to prevent misuse of the introspection response as an access token".
type signedInfo struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"` // the client that asked
	IssuedAt int64  `json:"iat"`
	Info     Info   `json:"token_introspection"`
}

// accepts says whether the Accept header names the media type (RFC 9110 §12.5.1).
func accepts(r *http.Request, want string) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		if media, params, err := mime.ParseMediaType(part); err == nil && media == want && params["q"] != "0" {
			return true
		}
	}
	return false
}

// introspect returns what the client that sent the request may know about the token. RFC 7662 §2.1: "To prevent token
// scanning attacks, the endpoint MUST also require some form of authorization to access this endpoint": only
// confidential clients may ask. §2.2: "the authorization server SHOULD NOT include any additional information about an
// inactive token, including why the token is inactive", so the zero Info answers for each of them. token_type_hint
// changes nothing: §2.1: "An authorization server MAY ignore this parameter, particularly if it is able to detect the
// token type automatically." https://www.rfc-editor.org/rfc/rfc7662#section-2
func (e *Introspection) introspect(r *http.Request) (Info, oidc.Client, error) {
	form, err := clientauth.ReadForm(r)
	if err != nil {
		return Info{}, oidc.Client{}, err
	}
	client, err := e.Auth.Authenticate(r, form)
	if err != nil {
		return Info{}, client, err
	}
	if client.Public() {
		return Info{}, client, oidc.InvalidClient.Errorf("client %s is public: anybody could ask in its name; "+
			"introspection is for confidential clients (RFC 7662 §2.1)", client.ClientID)
	}
	raw := form.Get("token")
	if raw == "" {
		return Info{}, client, oidc.InvalidRequest.Errorf("token is missing; send the token to introspect (RFC 7662 §2.1)")
	}
	info, err := e.accessToken(r.Context(), client, raw)
	if err == nil && !info.Active {
		info, err = e.refreshToken(r.Context(), client, raw)
	}
	if err == nil {
		tellIntrospected(r.Context(), info)
	}
	return info, client, err
}

func (e *Introspection) accessToken(ctx context.Context, asking oidc.Client, raw string) (Info, error) {
	token, err := e.Tokens.Read(ctx, raw)
	switch {
	case isInvalidToken(err):
		return Info{}, nil
	case err != nil || !mayIntrospect(asking, token):
		return Info{}, err
	case token.AuthTime != 0 && !e.hasUser(token.Subject):
		return Info{}, nil
	}
	client, err := e.Clients.ByID(ctx, token.ClientID)
	switch {
	case errors.Is(err, clients.ErrUnknown):
		return Info{}, nil // the tokens of a deleted client are inactive
	case err != nil:
		return Info{}, err
	}
	if token, err = e.Tokens.ForClient(client, token); err != nil {
		return Info{}, err
	}
	info := Info{
		Active: true, Scope: token.Scope, ClientID: token.ClientID, TokenType: oidc.TokenTypeBearer, Expiry: token.Expiry,
		IssuedAt: token.IssuedAt, Subject: token.Subject, Audience: token.Audience, Issuer: token.Issuer, JTI: token.JTI,
		Confirmation: token.Confirmation, AuthTime: token.AuthTime, ACR: token.ACR,
	}
	if token.Confirmation != nil {
		info.TokenType = oidc.TokenTypeDPoP
	}
	return info, nil
}

// mayIntrospect says whether the client may know about the access token: it was issued to the client, it is for an API
// that the client stands for, or the client is a first-party client. RFC 7662 §2.2: if "the protected resource is not
// allowed to introspect this particular token, then the authorization server MUST return an introspection response with
// the "active" field set to "false"".
func mayIntrospect(client oidc.Client, token Token) bool {
	isFor := token.Audience.Has(client.ClientID) || client.Audience != "" && token.Audience.Has(client.Audience)
	return token.ClientID == client.ClientID || isFor || client.FirstParty
}

// hasUser says whether the user still exists. Without the user a token is worth nothing, here as at userinfo.
func (e *Introspection) hasUser(sub string) bool {
	_, ok := e.Users.BySub(sub)
	return ok
}

// refreshToken returns an Info without token_type: the types of RFC 6749 §7.1 are types of access tokens.
func (e *Introspection) refreshToken(ctx context.Context, asking oidc.Client, raw string) (Info, error) {
	family, err := e.Grants.Look(ctx, raw)
	for _, inactive := range []error{grant.ErrUnknown, grant.ErrExpired, grant.ErrRevoked, grant.ErrReplayed} {
		if errors.Is(err, inactive) {
			return Info{}, nil
		}
	}
	granted := family.Grant
	if err != nil || granted.ClientID != asking.ClientID || !e.hasUser(granted.Sub) {
		return Info{}, err
	}
	sub, err := e.Tokens.Subjects.Of(asking, granted.Sub)
	if err != nil {
		return Info{}, err
	}
	info := Info{
		Active: true, Scope: granted.Scope.String(), ClientID: granted.ClientID, Expiry: family.IdleUntil.Unix(),
		IssuedAt: family.UsedAt.Unix(), Subject: sub, Issuer: e.Issuer, AuthTime: granted.AuthTime.Unix(), ACR: granted.ACR,
	}
	if family.JKT != "" {
		info.Confirmation = &Confirmation{JKT: family.JKT}
	}
	return info, nil
}

func tellIntrospected(ctx context.Context, info Info) {
	step := trace.Step{
		Kind: trace.KindToken, Spec: "RFC 7662 §2.2", Outcome: trace.OK,
		Text: "the token is valid, and the client may know about it",
	}
	if !info.Active {
		step.Outcome = trace.Noted
		step.Text = "the token is not valid, or the client may not know about it: active is false"
	}
	trace.Emit(ctx, step)
}
