package console

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	josejson "github.com/go-jose/go-jose/v4/json" // matches names exactly, and refuses a repeated name
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/oidc"
)

// maxJWT bounds a token that is checked, in bytes.
const maxJWT = 32 << 10

// jwtBody is the body of POST /console/jwt.
type jwtBody struct {
	// Token is the JWT in its compact form, at most 32 KiB. The word Bearer before it is ignored.
	Token string `json:"token"`
	// ClientID is the client that received an ID token.
	ClientID string `json:"client_id,omitempty"`
	// Nonce is the nonce of the request that the ID token answers.
	Nonce string `json:"nonce,omitempty"`
	// AccessToken is the access token that came with the ID token.
	AccessToken string `json:"access_token,omitempty"`
	// Audience is the API that received an access token.
	Audience string `json:"audience,omitempty"`
}

// The kinds of tokens.
const (
	kindIDToken     = "id_token"
	kindAccessToken = "access_token"
	kindOther       = "other"
	kindEncrypted   = "encrypted"
)

// jwtAnswer is a decoded token, and what its recipient checks.
type jwtAnswer struct {
	Kind   string     `json:"kind"` // id_token, access_token, other or encrypted
	Header object     `json:"header,omitempty"`
	Claims object     `json:"claims,omitempty"`
	Checks []jwtCheck `json:"checks"`
}

// jwtCheck is one check of a token.
type jwtCheck struct {
	Spec    string `json:"spec"`
	Text    string `json:"text"`
	Outcome string `json:"outcome"`       // holds, fails or not_checked
	Why     string `json:"why,omitempty"` // what was found instead, or why it was not checked
}

// pastedJWT is a token that somebody wants to have checked.
type pastedJWT struct {
	jwtBody
	jwtAnswer
	isOurs   bool // iss is this provider, by one of its names
	isSigned bool // a published key verifies the signature
	algs     []string
	keyFault error // no published key is the one that the header names
}

// needsKeys marks the rules that need the key set of the token's issuer.
const needsKeys = "jwks"

// signatureRules are for every JWT of this provider.
var signatureRules = oidc.Table[*pastedJWT]{
	{Spec: "RFC 7515 §4.1.11", Text: "the header asks for no extension (crit)",
		Holds: func(p *pastedJWT) bool { _, asks := p.Header["crit"]; return !asks },
		Got:   func(*pastedJWT) string { return "a crit, and no extension is understood here" }},
	{Spec: "RFC 8725 §3.1", Text: "alg is one by which this provider signs", Params: []string{needsKeys},
		Holds: func(p *pastedJWT) bool { return slices.Contains(p.algs, text(p.Header["alg"])) },
		Got:   func(p *pastedJWT) string { return text(p.Header["alg"]) + ", not " + strings.Join(p.algs, " or ") }},
	{Spec: "Core §10.1", Text: "kid names a published key of this provider for alg", Params: []string{needsKeys},
		Holds: func(p *pastedJWT) bool { return p.keyFault == nil },
		Got:   func(p *pastedJWT) string { return p.keyFault.Error() }},
	{Spec: "RFC 7515 §5.2", Text: "the signature is the key's, over this header and these claims",
		Params: []string{needsKeys},
		Holds:  func(p *pastedJWT) bool { return p.isSigned }},
}

// jwt is POST /console/jwt: it decodes a JWT and checks it as its recipient should. It stores nothing.
func (e *Endpoint) jwt(_ http.ResponseWriter, r *http.Request) (any, error) {
	p := &pastedJWT{}
	if err := readJSON(r, &p.jwtBody); err != nil {
		return nil, err
	}
	p.AccessToken = bare(p.AccessToken)
	if p.Token = bare(p.Token); p.Token == "" || len(p.Token) > maxJWT {
		return nil, oidc.InvalidRequest.Errorf("token has %d bytes: send a JWT of 1 to %d bytes", len(p.Token), maxJWT)
	}
	form := p.decode()
	p.Checks = []jwtCheck{form}
	if form.Outcome != holds || p.Kind == kindEncrypted {
		return p.jwtAnswer, nil
	}
	if err := e.verify(r.Context(), p); err != nil {
		return nil, err
	}
	p.Checks = append(p.Checks, judged(signatureRules, p, p.missing)...)
	checks, err := e.claimChecks(p)
	p.Checks = append(p.Checks, checks...)
	return p.jwtAnswer, err
}

// bare is the token in a text that a developer copied, such as the value of the header Authorization.
func bare(text string) string {
	text = strings.TrimSpace(text)
	if scheme, token, found := strings.Cut(text, " "); found && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return text
}

// decode reads the parts of the token, and is the check of its form. Of an encrypted token only the header can be read.
func (p *pastedJWT) decode() jwtCheck {
	check := jwtCheck{Spec: "RFC 7519 §7.2", Outcome: fails,
		Text: "the token is a JWT: three parts with dots between, the first two are JSON objects in base64url"}
	parts := strings.Split(p.Token, ".")
	p.Kind = kindOther
	switch {
	case len(parts) == 5: // RFC 7516 §3.1
		p.Kind, check.Spec, check.Outcome = kindEncrypted, "RFC 7516 §3.1", notChecked
		check.Text = "the claims and the signature of an encrypted token"
		check.Why = "they can be read with the private key of the recipient only; the header is not encrypted"
	case len(parts) != 3:
		check.Why = "a text without two dots; an opaque token cannot be decoded"
		return check
	}
	var err error
	if p.Header, err = objectIn(parts[0]); err != nil {
		check.Outcome, check.Why = fails, "the header is no JSON object in base64url, or a name is there twice"
		return check
	}
	if p.Kind == kindEncrypted {
		return check
	}
	if p.Claims, err = objectIn(parts[1]); err != nil {
		check.Why = "the claims are no JSON object in base64url, or a name is there twice"
		return check
	}
	check.Outcome = holds
	switch p.typ() {
	case "at+jwt":
		p.Kind = kindAccessToken
	case "", "jwt":
		p.Kind = kindIDToken
	}
	return check
}

// errNoObject is that a part of a token is no JSON object in base64url; decode says so.
var errNoObject = errors.New("no JSON object in base64url")

// objectIn decodes one part of a JWT. Numbers stay as they are written.
func objectIn(part string) (object, error) {
	if strings.ContainsAny(part, "\r\n") { // which the decoder skips
		return nil, errNoObject
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := josejson.Unmarshal(raw, &members); err != nil {
		return nil, err
	}
	if members == nil { // null
		return nil, errNoObject
	}
	decoder, found := json.NewDecoder(bytes.NewReader(raw)), object{}
	decoder.UseNumber()
	return found, decoder.Decode(&found)
}

// typ is the media type in the header, in small letters and without application/ (RFC 7515 §4.1.9).
func (p *pastedJWT) typ() string {
	return strings.TrimPrefix(strings.ToLower(text(p.Header["typ"])), "application/")
}

// verify looks for the key of the token, and checks the signature.
func (e *Endpoint) verify(ctx context.Context, p *pastedJWT) error {
	published, err := e.Keys.Public(ctx)
	if err != nil {
		return err
	}
	var algs []jose.SignatureAlgorithm
	for _, alg := range e.Keys.Algs() {
		algs, p.algs = append(algs, alg), append(p.algs, string(alg))
	}
	p.isOurs = slices.Contains(e.Issuers, text(p.Claims["iss"]))
	found, err := oidc.KeySet{JSONWebKeySet: published}.Verifying(text(p.Header["alg"]), text(p.Header["kid"]))
	if _, isText := p.Header["kid"].(string); p.Header["kid"] != nil && !isText {
		err = errors.New("kid is no text (RFC 7515 §4.1.4)")
	}
	p.keyFault = err
	parsed, err := jwt.ParseSigned(p.Token, algs)
	if err != nil {
		return nil
	}
	for _, key := range found {
		p.isSigned = p.isSigned || parsed.Claims(key.Key, &map[string]any{}) == nil
	}
	return nil
}

// text is the value if it is a text, else "".
func text(value any) string {
	found, _ := value.(string)
	return found
}
