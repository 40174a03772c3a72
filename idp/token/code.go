package token

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"time"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
)

// AuthorizationCode is grant_type=authorization_code (RFC 6749 §4.1.3).
type AuthorizationCode struct {
	Grants  Grants
	Issuer  *Issuer
	Refresh Refresh
}

// Grants is a *grant.Grants, or a decorator of one.
type Grants interface {
	Redeem(ctx context.Context, code string, tokenLifetime time.Duration) (grant.Grant, error)
	Begin(ctx context.Context, granted grant.Grant, jkt string, terms grant.Terms) (refreshToken string, err error)
	IsTakenBack(ctx context.Context, sub, clientID string, grantedAt time.Time) (bool, error)
	Family(ctx context.Context, refreshToken string) (grant.Family, error)
	Use(ctx context.Context, refreshToken string, terms grant.Terms) (next string, err error)
}

// redemption is a code that was spent or has expired, and the request that presented it.
type redemption struct {
	request
	grant.Grant
	Now time.Time
}

// again is the end of the help text of each rule.
const again = ". The code gives no tokens any more: start again"

// rules are the conditions for exchanging a code for tokens. The code is already spent, unless it expired long ago.
var rules = oidc.Table[*redemption]{{
	Spec: "RFC 6749 §4.1.3", Text: "the code was issued to the client that redeems it", Params: []string{"client_id"},
	Else: oidc.InvalidGrant, Reason: oidc.CodeForeign,
	Holds: func(r *redemption) bool { return r.ClientID == r.Client.ClientID },
	Help:  "a code is good for one client only" + again,
}, {
	Spec: "RFC 6749 §4.1.2", Text: "the code has not expired", Else: oidc.InvalidGrant,
	Reason: oidc.CodeExpired,
	Holds:  func(r *redemption) bool { return r.Now.Before(r.ExpiresAt) },
	Help:   "redeem it right after the redirect" + again,
}, {
	Spec: "RFC 6749 §4.1.2", Text: "the code was not issued later than now", Else: oidc.InvalidGrant,
	Reason: oidc.CodeExpired,
	Holds:  func(r *redemption) bool { return !r.GrantedAt.After(r.Now.Add(grant.ClockError)) },
	Help: "the clock of this provider was set back, or the clock of the provider that issued the code is ahead: " +
		"set both clocks by NTP" + again,
}, {
	Spec: "RFC 6749 §4.1.3", Text: "redirect_uri is the one of the authorization request",
	Params: []string{"redirect_uri"}, Else: oidc.InvalidGrant, Reason: oidc.CodeForeign,
	Holds: func(r *redemption) bool { return r.request.RedirectURI == r.Grant.RedirectURI },
	Help:  "send exactly the same redirect_uri to both endpoints" + again,
}, {
	Spec: "RFC 9700 §4.8.2", Text: "code_verifier comes only after a code_challenge", Params: []string{"code_verifier"},
	Else: oidc.InvalidGrant, Reason: oidc.PKCEMissing,
	Holds: func(r *redemption) bool { return r.CodeVerifier == "" || r.CodeChallenge != "" },
	Help:  "the authorization request had no code_challenge: was it removed on the way?" + again,
}, {
	Spec: "RFC 7636 §4.5", Text: "code_verifier comes after a code_challenge", Params: []string{"code_verifier"},
	Else: oidc.InvalidGrant, Reason: oidc.PKCEMissing,
	Holds: func(r *redemption) bool { return r.CodeVerifier != "" || r.CodeChallenge == "" },
	Help:  "send the code_verifier whose SHA-256 the code_challenge was" + again,
}, {
	Spec: "RFC 7636 §4.1", Text: "code_verifier has 43 to 128 characters out of A-Z a-z 0-9 - . _ ~",
	Params: []string{"code_verifier"}, Else: oidc.InvalidGrant, Reason: oidc.PKCEMismatch,
	Holds: func(r *redemption) bool {
		size := len(r.CodeVerifier)
		return size == 0 || 43 <= size && size <= 128 && oidc.IsMadeOf(r.CodeVerifier, oidc.LettersAndDigits+"-._~")
	},
	Help: "make it from 32 random bytes in base64url" + again,
}, {
	Spec: "RFC 7636 §4.6", Text: "the SHA-256 of code_verifier is the code_challenge", Params: []string{"code_verifier"},
	Else: oidc.InvalidGrant, Reason: oidc.PKCEMismatch,
	Holds: func(r *redemption) bool {
		sum := sha256.Sum256([]byte(r.CodeVerifier)) // RFC 7636 §4.2
		return r.CodeChallenge == "" || equal(base64.RawURLEncoding.EncodeToString(sum[:]), r.CodeChallenge)
	},
	Help: "the verifier belongs to another authorization request; keep it by state" + again,
}, { // a request without a proof has no key
	Spec: "RFC 9449 §10", Text: "the proof is of the key that the code is bound to",
	Params: []string{"dpop_jkt"},
	Holds:  func(r *redemption) bool { return r.DPoPJKT == "" || equal(r.JKT, r.DPoPJKT) },
	Else:   oidc.InvalidGrant, Reason: oidc.DPoPProof,
	Help: "send a DPoP proof of the key whose thumbprint was dpop_jkt" + again,
}}

// tokens implements GrantType: it spends the code before it judges the request.
func (c *AuthorizationCode) tokens(ctx context.Context, r request) (Response, error) {
	if r.Code == "" {
		return Response{}, oidc.InvalidRequest.Errorf(
			"code is missing; send the code of the authorization response (RFC 6749 §4.1.3)")
	}
	granted, err := c.Grants.Redeem(ctx, r.Code, accessTokenLifetime(r.Client))
	if err != nil {
		return Response{}, notRedeemed(err)
	}
	if err := rules.Judge(ctx, &redemption{r, granted, c.Issuer.Now()}); err != nil {
		return Response{}, err
	}
	return begin(ctx, c.Grants, c.Issuer, c.Refresh, r, granted)
}

// notRedeemed converts an error of the grants to an invalid_grant. Errors of the store stay unchanged.
func notRedeemed(err error) error {
	switch {
	case errors.Is(err, grant.ErrUnknown):
		return oidc.InvalidGrant.Errorf("the code is not known: this provider never issued it, " +
			"or the provider lost its store or has other cookie_keys now").Blame(oidc.CodeUnknown)
	case errors.Is(err, grant.ErrReplayed):
		return oidc.InvalidGrant.Errorf("the code was redeemed before; the tokens it gave are revoked (RFC 6749 §4.1.2). " +
			"Does the application redeem twice, for example in a page that loads twice?").Blame(oidc.CodeReplayed)
	}
	return err
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// DeviceCode is the grant type of RFC 8628 §3.4: a device asks whether its user has decided.
type DeviceCode struct {
	Devices Devices
	Grants  Grants
	Issuer  *Issuer
	Refresh Refresh
}

// Devices is a *device.Devices. Endpoint packages do not import each other.
type Devices interface {
	Redeem(ctx context.Context, client *oidc.Client, deviceCode string) (grant.Grant, error)
}

// tokens implements GrantType.
func (d *DeviceCode) tokens(ctx context.Context, r request) (Response, error) {
	if r.DeviceCode == "" {
		return Response{}, oidc.InvalidRequest.Errorf(
			"device_code is missing; send the one of the device authorization response (RFC 8628 §3.4)")
	}
	granted, err := d.Devices.Redeem(ctx, r.Client, r.DeviceCode)
	if err != nil {
		return Response{}, err
	}
	return begin(ctx, d.Grants, d.Issuer, d.Refresh, r, granted)
}
