package clientauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejson "github.com/go-jose/go-jose/v4/json" // matches names exactly, and refuses a repeated name

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/oidc"
)

// TypeAssertion is the value of client_assertion_type (RFC 7523 §2.2).
const TypeAssertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// readAssertion reads private_key_jwt or client_secret_jwt. RFC 7521 §4.2: client_id "is unnecessary for client
// assertion authentication because the client is identified by the subject within the assertion. If present, the value
// of the "client_id" parameter MUST identify the same client".
// https://www.rfc-editor.org/rfc/rfc7521#section-4.2
func readAssertion(r *http.Request, form url.Values) (credentials, error) {
	assertion, clientID, typ := form.Get("client_assertion"), form.Get("client_id"), form.Get("client_assertion_type")
	subject, method := peek(assertion)
	switch {
	case r.Header.Get("Authorization") != "" || form.Get("client_secret") != "":
		return credentials{}, refuse(
			"the client authenticates twice, by an assertion and by a secret; do it once (RFC 6749 §2.3)")
	case typ != TypeAssertion:
		return credentials{}, refuse("client_assertion_type is %.100q, expected %s (RFC 7523 §2.2)", typ, TypeAssertion)
	case subject == "":
		return credentials{}, refuse(
			"client_assertion is no signed JWT with a sub; expected one in compact form (RFC 7523 §2.2)")
	case clientID != "" && clientID != subject:
		return credentials{}, refuse("the client_id is not the sub of client_assertion (RFC 7521 §4.2)")
	}
	return credentials{clientID: subject, assertion: assertion, method: method}, nil
}

// Confidential returns the client_id of a token request if the client is confidential, else "". It does not
// authenticate the client. A body that cannot be read is an invalid_request.
func Confidential(r *http.Request, register *clients.Register) (string, error) {
	id, err := claimed(r)
	if err != nil {
		return "", err
	}
	if client, err := register.ByID(r.Context(), id); err == nil && client.Public() {
		return "", nil
	}
	return id, nil
}

// claimed returns the client_id that the request names, in the order of Authenticate: the header wins.
func claimed(r *http.Request) (string, error) {
	if user, _, ok := oidc.BasicAuth(r.Header); ok {
		id, _ := url.QueryUnescape(user) // Authenticate reports a wrong encoding
		return id, nil
	}
	if err := oidc.ParseForm(r); err != nil {
		return "", oidc.InvalidRequest.Errorf("the form in the body cannot be read: %s", oidc.FormFault(err)).Because(err)
	}
	subject, _ := peek(r.PostForm.Get("client_assertion"))
	return cmp.Or(r.PostForm.Get("client_id"), subject), nil
}

// peek returns the sub of a JWT that is not verified yet, and the method that its alg belongs to. An empty subject
// means that the text is no such JWT.
func peek(assertion string) (subject, method string) {
	var claims assertionClaims
	signed, err := jose.ParseSignedCompact(assertion, algorithms(oidc.AssertionAlgs()))
	if err != nil || josejson.Unmarshal(signed.UnsafePayloadWithoutVerification(), &claims) != nil {
		return "", ""
	}
	if strings.HasPrefix(signed.Signatures[0].Header.Algorithm, "HS") {
		return claims.Subject, oidc.AuthMethodSecretJWT
	}
	return claims.Subject, oidc.AuthMethodPrivateJWT
}

func algorithms(names []string) []jose.SignatureAlgorithm {
	all := make([]jose.SignatureAlgorithm, len(names))
	for i, name := range names {
		all[i] = jose.SignatureAlgorithm(name)
	}
	return all
}

// checkAssertion verifies a client's assertion, checks its claims, and records it as used.
func (a *Authenticator) checkAssertion(r *http.Request, client *oidc.Client, compact string) error {
	header, payload, err := a.verify(r.Context(), client, compact)
	if err != nil {
		return refuse("client_assertion is not accepted: %v", err)
	}
	judged := assertion{Client: client, Now: a.Now(), Audiences: []string{a.Issuer}}
	if !client.FAPI2() {
		// RFC 9126 §2: "the authorization server MUST accept its issuer identifier, token endpoint URL, or pushed
		// authorization request endpoint URL as values that identify it as an intended audience."
		base := a.BackChannel.Base(r, a.Issuer)
		judged.Audiences = append(judged.Audiences, a.TokenEndpoint, base+strings.TrimPrefix(a.TokenEndpoint, a.Issuer),
			base+r.URL.Path)
	}
	judged.Type, _ = header.ExtraHeaders[jose.HeaderType].(string)
	if err := josejson.Unmarshal(payload, &judged.assertionClaims); err != nil {
		return refuse("client_assertion holds no claims that can be read: " +
			"expected a JSON object with iss, sub, aud, exp and jti (Core §9)")
	}
	if err := assertionRules.Judge(r.Context(), &judged); err != nil {
		return err
	}
	return a.use(r.Context(), &judged)
}

// verify verifies the signature by the client's key, or the MAC by its secret.
func (a *Authenticator) verify(ctx context.Context, client *oidc.Client, compact string) (jose.Header, []byte, error) {
	allowed := client.AssertionAlgs()
	if client.TokenEndpointAuthMethod == oidc.AuthMethodPrivateJWT {
		return a.Keys.Verify(ctx, client, compact, algorithms(allowed))
	}
	signed, err := jose.ParseSignedCompact(compact, algorithms(allowed))
	if err != nil {
		return jose.Header{}, nil, fmt.Errorf("it is no JWT with one alg of %s", strings.Join(allowed, ", "))
	}
	header := signed.Signatures[0].Header
	if err := oidc.CheckCrit(header); err != nil {
		return header, nil, err
	}
	secret := []byte(client.ClientSecret.Plain())
	// RFC 7518 §3.2: a key is at least as long as the hash.
	if least := map[string]int{"HS256": 32, "HS384": 48, "HS512": 64}[header.Algorithm]; len(secret) < least {
		return header, nil, fmt.Errorf("the client's secret is too short for %s, which needs %d bytes or more "+
			"(RFC 7518 §3.2), or the provider has only its hash: register a new one", header.Algorithm, least)
	}
	payload, err := signed.Verify(secret)
	if err != nil {
		return header, nil, errors.New("it is not authenticated with the client's secret")
	}
	return header, payload, nil
}

// errUsed refuses an assertion that was used before.
var errUsed = refuse("client_assertion was used before: make a new one, with a new jti, for each request (RFC 7523 §3)")

// use accepts an assertion once. Core §9: jti "can be used to prevent reuse of the token. These tokens MUST only be
// used once".
func (a *Authenticator) use(ctx context.Context, j *assertion) error {
	retention := j.Expiry.Time().Sub(j.Now) + 2*oidc.MaxClockSkew
	key := fmt.Sprintf("%q %s", j.Client.ClientID, j.JTI)
	return a.Assertions.Update(ctx, key, retention, func(used *time.Time) (*time.Time, error) {
		if used != nil {
			return nil, errUsed
		}
		return &j.Now, nil
	})
}
