package access

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp/claims"
	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// The paths of the revocation endpoint and the introspection endpoint.
const (
	PathRevoke     = "/revoke"
	PathIntrospect = "/introspect"
)

// mediaJWT is the media type of an answer that is a JWT (RFC 9701 §5).
const mediaJWT = "application/" + keys.TypeIntrospection

// Revocation is the revocation endpoint (RFC 7009).
type Revocation struct {
	Issuer string
	Auth   *clientauth.Authenticator
	Grants *grant.Grants
	Tokens *Tokens
	Limit  endpoint.Limit
}

// Endpoints returns POST /revoke.
func (e *Revocation) Endpoints() []endpoint.Endpoint {
	return []endpoint.Endpoint{{
		Name: "revoke", Path: PathRevoke, Methods: []string{http.MethodPost}, Audience: endpoint.Programs,
		Serve: e.serve, Limit: e.Limit, Describe: func(m *oidc.Metadata) {
			m.RevocationEndpoint = e.Issuer + PathRevoke
			m.RevocationAuthMethods = clientauth.Methods()
			m.RevocationAuthAlgs = oidc.AssertionAlgs()
		},
	}}
}

// serve answers without a body: RFC 7009 §2.2: "The content of the response body is ignored by the client".
func (e *Revocation) serve(w http.ResponseWriter, r *http.Request) error {
	err := e.revoke(r)
	if err == nil {
		w.WriteHeader(http.StatusOK)
	}
	return err
}

// revoke answers a revocation request. RFC 7009 §2.1: "The authorization server first validates the client credentials
// (in case of a confidential client) and then verifies whether the token was issued to the client making the revocation
// request." §2.2: "invalid tokens do not cause an error response". https://www.rfc-editor.org/rfc/rfc7009#section-2
func (e *Revocation) revoke(r *http.Request) error {
	client, raw, err := readToken(r, e.Auth)
	if err != nil {
		return err
	}
	if found, err := e.refreshToken(r.Context(), client, raw); found || err != nil {
		return err
	}
	if found, err := e.accessToken(r.Context(), client, raw); found || err != nil {
		return err
	}
	record(r.Context(), trace.Noted, "RFC 7009 §2.1", "the token is not a valid one: there is nothing to revoke")
	return nil
}

// readToken returns the client and the parameter token of a request. token_type_hint changes nothing: RFC 7009 §2.1 and
// RFC 7662 §2.1: the server "MAY ignore this parameter, particularly if it is able to detect the token type
// automatically".
func readToken(r *http.Request, auth *clientauth.Authenticator) (client *oidc.Client, token string, err error) {
	form, err := clientauth.ReadForm(r)
	if err != nil {
		return &oidc.Client{}, "", err
	}
	if client, err = auth.Authenticate(r, form); err != nil {
		return client, "", err
	}
	if token = form.Get("token"); token == "" {
		err = oidc.InvalidRequest.Errorf("token is missing; send the token that the request is about " +
			"(RFC 7009 §2.1, RFC 7662 §2.1)")
	}
	return client, token, err
}

// hasEnded reports whether the error is about a refresh token that was valid before.
func hasEnded(err error) bool {
	return errors.Is(err, grant.ErrExpired) || errors.Is(err, grant.ErrRevoked) || errors.Is(err, grant.ErrReplayed)
}

// refreshToken revokes a refresh token, even a replaced one, with all tokens of its grant. RFC 7009 §2.1: "If the token
// is a refresh token and the authorization server supports the revocation of access tokens, then the authorization
// server SHOULD also invalidate all access tokens based on the same authorization grant".
func (e *Revocation) refreshToken(ctx context.Context, client *oidc.Client, raw string) (found bool, err error) {
	family, err := e.Grants.Look(ctx, raw)
	switch {
	case errors.Is(err, grant.ErrUnknown):
		return false, nil
	case err != nil && !hasEnded(err):
		return false, err
	case family.Grant.Issuer != "" && family.Grant.Issuer != e.Issuer:
		return false, nil
	case family.Grant.ClientID != client.ClientID:
		return false, errForeign(client)
	}
	record(ctx, trace.OK, "RFC 7009 §2.1", "the refresh token is revoked, and everything that its grant gave")
	return true, e.Grants.Revoke(ctx, family.Grant.ID)
}

func (e *Revocation) accessToken(ctx context.Context, client *oidc.Client, raw string) (found bool, err error) {
	token, err := e.Tokens.Read(ctx, raw)
	switch {
	case isInvalidToken(err):
		return false, nil
	case err != nil:
		return false, err
	case token.ClientID != client.ClientID:
		return false, errForeign(client)
	}
	record(ctx, trace.OK, "RFC 7009 §2.1", "the access token is revoked")
	return true, e.Tokens.Revoke(ctx, token)
}

// isInvalidToken says whether Read refused the token, and did not fail.
func isInvalidToken(err error) bool {
	refused, ok := errors.AsType[*oidc.Error](err)
	return ok && refused.Code == oidc.InvalidToken
}

// errForeign refuses a token of another client. RFC 7009 §2.1: "If this validation fails, the request is refused and
// the client is informed of the error".
func errForeign(client *oidc.Client) error {
	return oidc.InvalidGrant.Errorf(
		"the token was not issued to client %s: a client cannot revoke the token of another (RFC 7009 §2.1)", client.ClientID)
}

// record adds a step about a token to the trace.
func record(ctx context.Context, outcome trace.Outcome, spec, text string) {
	trace.Emit(ctx, trace.Step{Kind: trace.KindToken, Spec: spec, Text: text, Outcome: outcome})
}

// Introspection is the introspection endpoint (RFC 7662).
type Introspection struct {
	Issuer  string
	Auth    *clientauth.Authenticator
	Clients clients.Lookup
	Grants  *grant.Grants
	Tokens  *Tokens
	Signer  keys.Signer
	Algs    []string // the algs of answers that are a JWT
	// DefaultAlg is the alg for clients that registered none.
	DefaultAlg string
	Now        func() time.Time
	Limit      endpoint.Limit
}

// Endpoints returns POST /introspect.
func (e *Introspection) Endpoints() []endpoint.Endpoint {
	return []endpoint.Endpoint{{
		Name: "introspect", Path: PathIntrospect, Methods: []string{http.MethodPost}, Audience: endpoint.Programs,
		Serve: e.serve, Limit: e.Limit, Describe: e.describe,
	}}
}

func (e *Introspection) describe(m *oidc.Metadata) {
	m.IntrospectionEndpoint = e.Issuer + PathIntrospect
	m.IntrospectionAuthMethods = oidc.Scope(clientauth.Methods()).Without(oidc.Scope{oidc.AuthMethodNone})
	m.IntrospectionAuthAlgs = oidc.AssertionAlgs()
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

// Info is the answer about a token (RFC 7662 §2.2; acr and auth_time: RFC 9470 §6.2).
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

	More map[string]any `json:"-"` // about the user or the client; members beside the others (§2.2)
}

// MarshalJSON implements json.Marshaler. No claim of More replaces another member.
func (i Info) MarshalJSON() ([]byte, error) {
	type own Info // without this method
	if len(i.More) == 0 {
		return json.Marshal(own(i))
	}
	all, err := claims.Merge(own(i), i.More)
	if err != nil {
		return nil, err
	}
	return json.Marshal(all)
}

// signedInfo is an answer as a JWT. RFC 9701 §5 requires these members and forbids sub and exp beside them, "to prevent
// misuse of the introspection response as an access token".
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

// introspect returns the information about the token that the requesting client may see. RFC 7662 §2.1: "To prevent
// token scanning attacks, the endpoint MUST also require some form of authorization to access this endpoint": only
// confidential clients may ask. §2.2: "the authorization server SHOULD NOT include any additional information about an
// inactive token, including why the token is inactive". https://www.rfc-editor.org/rfc/rfc7662#section-2
func (e *Introspection) introspect(r *http.Request) (Info, *oidc.Client, error) {
	client, raw, err := readToken(r, e.Auth)
	switch {
	case client.Public():
		return Info{}, client, oidc.InvalidClient.Errorf("client %s is public: anybody could ask in its name; "+
			"introspection is for confidential clients (RFC 7662 §2.1)", client.ClientID)
	case err != nil:
		return Info{}, client, err
	}
	info, err := e.accessToken(r.Context(), client, raw)
	if err == nil && !info.Active {
		info, err = e.refreshToken(r.Context(), client, raw)
	}
	switch {
	case err != nil:
	case info.Active:
		record(r.Context(), trace.OK, "RFC 7662 §2.2", "the token is valid, and the client may know about it")
	default:
		record(r.Context(), trace.Noted, "RFC 7662 §2.2",
			"the token is not valid, or the client may not know about it: active is false")
	}
	return info, client, err
}

func (e *Introspection) accessToken(ctx context.Context, asking *oidc.Client, raw string) (Info, error) {
	token, err := e.Tokens.Read(ctx, raw)
	switch {
	case isInvalidToken(err):
		return Info{}, nil
	case err != nil || !mayIntrospect(asking, token):
		return Info{}, err
	}
	client, err := e.Clients.ByID(ctx, token.ClientID)
	if errors.Is(err, clients.ErrUnknown) {
		return Info{}, nil // the tokens of a deleted client are inactive
	}
	if err != nil {
		return Info{}, err
	}
	more := e.Tokens.More(client, token)
	if token, err = e.Tokens.ForClient(client, token); err != nil {
		return Info{}, err
	}
	info := Info{
		Active: true, Scope: token.Scope, ClientID: token.ClientID, TokenType: oidc.TokenTypeBearer, Expiry: token.Expiry,
		IssuedAt: token.IssuedAt, Subject: token.Subject, Audience: token.Audience, Issuer: token.Issuer, JTI: token.JTI,
		Confirmation: token.Confirmation, AuthTime: token.AuthTime, ACR: token.ACR, More: more,
	}
	if token.Confirmation != nil {
		info.TokenType = oidc.TokenTypeDPoP
	}
	return info, nil
}

// mayIntrospect reports whether the client may introspect the access token. RFC 7662 §2.2: if "the protected resource
// is not allowed to introspect this particular token, then the authorization server MUST return an introspection
// response with the "active" field set to "false"".
func mayIntrospect(client *oidc.Client, token Token) bool {
	isFor := token.Audience.Has(client.ClientID) || client.Audience != "" && token.Audience.Has(client.Audience)
	return token.ClientID == client.ClientID || isFor || client.FirstParty
}

// refreshToken returns an Info without token_type: the types of RFC 6749 §7.1 are types of access tokens.
func (e *Introspection) refreshToken(ctx context.Context, asking *oidc.Client, raw string) (Info, error) {
	family, err := e.Grants.Look(ctx, raw)
	if errors.Is(err, grant.ErrUnknown) || hasEnded(err) {
		return Info{}, nil
	}
	granted := family.Grant
	isForeign := granted.ClientID != asking.ClientID || granted.Issuer != "" && granted.Issuer != e.Issuer
	if err != nil || isForeign || !(*e.Tokens.Users.Known.Load())[granted.Sub] {
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
