// Package userinfo is the userinfo endpoint. Package claims decides which claims a client gets there.
//
//	access token ─► access.Read ─► bound to a key? its proof ─► scope has openid ─► the user ─► Release.Userinfo
//	                                                  JSON, signed JWT or encrypted, by the client ◄─┘
//
// Where teaching ends: all claims are normal claims of this provider (Core §5.6). Aggregated and distributed claims
// need another provider that vouches for them.
package userinfo

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/claims"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/dpop"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// Path is the path of the endpoint.
const Path = "/userinfo"

// Endpoint is the userinfo endpoint.
type Endpoint struct {
	Issuer     string
	Audience   string // of access tokens for which neither the client nor its registration named an API
	Tokens     *access.Tokens
	Clients    clients.Lookup
	ClientKeys *clients.Keys // answers are encrypted with them
	Users      *users.Directory
	Keys       *keys.KeySet // answers are signed with them
	DPoP       *dpop.Checker
	Release    claims.Release
	Errors     endpoint.Errors
}

// Endpoints returns GET and POST /userinfo.
func (e *Endpoint) Endpoints() []endpoint.Endpoint {
	return []endpoint.Endpoint{{
		Name: "userinfo", Path: Path, Methods: []string{http.MethodGet, http.MethodPost}, Audience: endpoint.Programs,
		Serve: e.serve, Describe: e.describe,
	}}
}

func (e *Endpoint) describe(m *oidc.Metadata) {
	m.UserinfoEndpoint = e.Issuer + Path
	for _, alg := range e.Keys.Algs() {
		m.UserinfoSigningAlgValuesSupported = append(m.UserinfoSigningAlgValuesSupported, string(alg))
	}
	m.UserinfoEncryptionAlgValuesSupported = oidc.EncryptionAlgs()
	m.UserinfoEncryptionEncValuesSupported = oidc.EncryptionEncs()
}

// serve answers with the claims about the user that the access token allows (Core §5.3).
func (e *Endpoint) serve(w http.ResponseWriter, r *http.Request) error {
	e.DPoP.GiveNonce(w, r)
	token, client, err := e.authorize(r)
	if err == nil {
		err = e.answer(w, r, token, client)
	}
	if err != nil {
		e.challenge(w, r, err)
	}
	return err
}

// authorize returns the access token of the request and the client that it was issued to.
func (e *Endpoint) authorize(r *http.Request) (access.Token, *oidc.Client, error) {
	raw, err := tokenOf(r)
	if err != nil {
		return access.Token{}, &oidc.Client{}, err
	}
	token, client, err := e.readToken(r, raw)
	record(r, raw, token, err)
	return token, client, err
}

func (e *Endpoint) readToken(r *http.Request, raw string) (access.Token, *oidc.Client, error) {
	token, err := e.Tokens.Read(r.Context(), raw)
	if err != nil {
		return token, &oidc.Client{}, err
	}
	client, err := e.Clients.ByID(r.Context(), token.ClientID)
	if errors.Is(err, clients.ErrUnknown) {
		err = oidc.InvalidToken.Errorf("the client of the access token is no longer registered")
	}
	if err == nil {
		err = e.checkAudience(client, token)
	}
	if err == nil {
		err = e.checkBinding(r, client, raw, token)
	}
	return token, client, err
}

// checkAudience refuses a token that is for other APIs only: an API could use it here and read about the user. RFC 9068
// §4: aud must have "an identifier the resource server expects for itself". That is the issuer. A token for which the
// client named no resource is for the default API alone; userinfo takes it too, because clients of OpenID Connect name
// no resource.
func (e *Endpoint) checkAudience(client *oidc.Client, token access.Token) error {
	isDefault := slices.Equal(token.Audience, []string{cmp.Or(client.Audience, e.Audience)})
	if isDefault || token.Audience.Has(e.Issuer) {
		return nil
	}
	return oidc.InvalidToken.Errorf("the access token is for %s only; for userinfo send the authorization request with "+
		"resource=%s too (RFC 9068 §4, RFC 8707 §2)", strings.Join(token.Audience, " and "), e.Issuer)
}

// errNoToken refuses a request without an access token.
var errNoToken = oidc.InvalidToken.Errorf(
	"no access token came; send it as Authorization: Bearer and the token (RFC 6750 §2.1)")

// tokenOf takes the access token from the header or the body. RFC 6750 §2: "Clients MUST NOT use more than one method
// to transmit the token in each request." The third method, the query, is not supported: queries end in logs.
func tokenOf(r *http.Request) (string, error) {
	header, err := oidc.BearerToken(r.Header)
	if err == nil && header == "" {
		header, err = oidc.DPoPToken(r.Header)
	}
	var body []string
	if r.Method == http.MethodPost && oidc.ParseForm(r) == nil {
		body = r.PostForm["access_token"]
	}
	switch {
	case err != nil:
		return "", err
	case header != "" && len(body) > 0, len(body) > 1:
		return "", oidc.InvalidRequest.Errorf(
			"the access token came more than once; send it in the Authorization header only (RFC 6750 §2)")
	case header == "" && len(body) == 0:
		return "", errNoToken
	case header == "":
		return body[0], nil
	}
	return header, nil
}

// checkBinding requires the scheme DPoP and a proof for a token that is bound to a key, and Bearer for other tokens.
// RFC 9449 §7.2: "protected resources that support both […] MUST reject a DPoP-bound access token received as a bearer
// token".
func (e *Endpoint) checkBinding(r *http.Request, client *oidc.Client, raw string, token access.Token) error {
	header, err := oidc.DPoPToken(r.Header)
	isDPoP := header != ""
	switch {
	case err != nil:
		return err
	case token.Confirmation == nil && isDPoP:
		return oidc.InvalidToken.Errorf(
			"the access token is bound to no key: send it as Authorization: Bearer, or get one with a DPoP proof")
	case token.Confirmation == nil:
		return nil
	case !isDPoP:
		return oidc.InvalidToken.Errorf("the access token is bound to a key: " +
			"send it as Authorization: DPoP, with a proof in the header DPoP (RFC 9449 §7.1)").Blame(oidc.DPoPProof)
	}
	return e.DPoP.CheckToken(r, client, raw, token.Confirmation.JKT)
}

// answer writes the claims in the form that the client registered. Core §5.3.2: a signed or encrypted answer is a JWT
// "with content type application/jwt"; if signed, it "MUST contain the Claims iss (issuer) and aud (audience)".
// https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse
func (e *Endpoint) answer(w http.ResponseWriter, r *http.Request, token access.Token, client *oidc.Client) error {
	claims, err := e.claims(token, client)
	signing, encryption := client.UserinfoSignedResponseAlg, client.UserinfoEncryptedResponseAlg
	switch {
	case err != nil:
		return err
	case signing == "" && encryption == "":
		return oidc.WriteJSON(w, http.StatusOK, claims)
	}
	answer, err := e.marshal(r.Context(), claims, client)
	if err == nil {
		answer, err = e.ClientKeys.EncryptUserinfo(r.Context(), client, answer, signing != "")
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/jwt")
	_, err = w.Write(answer)
	return err
}

// marshal returns the claims as JSON, or signed if the client registered that.
func (e *Endpoint) marshal(ctx context.Context, claims map[string]any, client *oidc.Client) ([]byte, error) {
	if client.UserinfoSignedResponseAlg == "" {
		return json.Marshal(claims)
	}
	claims["iss"], claims["aud"] = e.Issuer, client.ClientID
	signed, err := e.Keys.Sign(ctx, client.UserinfoSignedResponseAlg, keys.TypeIDToken, claims)
	return []byte(signed), err
}

// claims are the claims about the user that the token's scope and its requested claims cover (Core §5.4, §5.5), and
// always sub (§5.3.2).
func (e *Endpoint) claims(token access.Token, client *oidc.Client) (map[string]any, error) {
	scope := oidc.ParseScope(token.Scope)
	if !scope.Has(oidc.ScopeOpenID) {
		return nil, oidc.InsufficientScope.Errorf("the access token's scope is %q, expected openid in it", token.Scope)
	}
	user, _ := e.Users.BySub(token.Subject)
	claims := e.Release.Userinfo(client, user.Claims, scope, token.Claims)
	sub, err := e.Tokens.Subjects.Of(client, token.Subject)
	claims["sub"] = sub
	return claims, err
}

// challenge adds the WWW-Authenticate headers. The error is in the challenge of the scheme that the request used or
// should have used (RFC 9449 §7.1). RFC 6750 §3.1: for a request without a token, or with another way to authenticate,
// "the resource server SHOULD NOT include an error code or other error information".
func (e *Endpoint) challenge(w http.ResponseWriter, r *http.Request, err error) {
	explained := e.Errors.Explain(r.Context(), err)
	bearer := fmt.Sprintf("Bearer realm=%q", e.Issuer)
	dpop := fmt.Sprintf("DPoP algs=%q", strings.Join(dpop.Algorithms(), " "))
	scheme, _ := oidc.Authorization(r.Header)
	switch {
	case strings.EqualFold(scheme, "DPoP") || explained.Reason == oidc.DPoPProof:
		w.Header().Add("WWW-Authenticate", dpop+challengeError(explained))
	case err == errNoToken:
		w.Header().Add("WWW-Authenticate", bearer)
		w.Header().Add("WWW-Authenticate", dpop)
	default:
		w.Header().Add("WWW-Authenticate", bearer+challengeError(explained))
	}
}

// challengeError is the part of a challenge that names the error.
func challengeError(e *oidc.Error) string {
	text := fmt.Sprintf(", error=%q, error_description=%q", e.Code, e.Description)
	if e.URI != "" {
		text += fmt.Sprintf(", error_uri=%q", e.URI)
	}
	if e.Code == oidc.InsufficientScope {
		text += fmt.Sprintf(", scope=%q", oidc.ScopeOpenID)
	}
	return text
}

// record adds to the trace whether the access token is valid, and joins the request to the flow that issued it.
func record(r *http.Request, raw string, token access.Token, err error) {
	recorder := trace.From(r.Context())
	if recorder == nil {
		return
	}
	recorder.Join(trace.JTI, token.JTI)
	step := trace.Step{
		Kind: trace.KindUserinfo, Spec: "Core §5.3.1", Text: "the access token is good", Outcome: trace.OK,
		Values: []trace.Value{trace.JWT("access_token", raw)},
	}
	if err != nil {
		step.Text, step.Outcome, step.Reason = oidc.AsError(err).Description, trace.Failed, string(oidc.TokenInvalid)
	}
	recorder.Emit(step)
	recorder.Set(func(record *trace.Record) { record.ClientID = token.ClientID })
}
