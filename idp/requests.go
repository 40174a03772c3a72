package idp

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/authorize"
	"github.com/hush-idp/hush/idp/fetch"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/par"
	"github.com/hush-idp/hush/idp/requestobject"
	"github.com/hush-idp/hush/idp/userinfo"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/trace"
)

// pathPAR is where clients push requests (RFC 9126).
const pathPAR = "/par"

// PARConfig says how long a pushed request may be used: 5 seconds and more (RFC 9126 §2.2), and less than 600 (FAPI 2.0 §5.3.2.2).
type PARConfig struct {
	Lifetime time.Duration `yaml:"lifetime"`
}

// defaultPARLifetime is plenty between the push and the browser's first request.
const defaultPARLifetime = 90 * time.Second

// defaultACRValues: 1 is a password, 0 is less.
func defaultACRValues() []authorize.Level {
	return []authorize.Level{{Value: "1", AMR: []string{"pwd"}}, {Value: "0", AMR: []string{"user", "pwd"}}}
}

// withRequests fills in what requests may ask for.
func (c Config) withRequests() Config {
	c.PAR.Lifetime = cmp.Or(c.PAR.Lifetime, defaultPARLifetime)
	if len(c.ACRValues) == 0 {
		c.ACRValues = defaultACRValues()
	}
	return c
}

func (c Config) checkRequests(p *Problems) {
	p.when(c.PAR.Lifetime < 5*time.Second || c.PAR.Lifetime >= 10*time.Minute, "par.lifetime",
		"%v is not between 5s and 10m (RFC 9126 §2.2; FAPI 2.0 §5.3.2.2: less than 600 seconds)", c.PAR.Lifetime)
	seen := map[string]bool{}
	for i, level := range c.ACRValues {
		at := fmt.Sprintf("acr_values[%d]", i)
		p.when(level.Value == "" || strings.ContainsFunc(level.Value, notScope), at+".value", "%q is no acr value: write a word or a URI without spaces", level.Value)
		p.when(seen[level.Value], at+".value", "%s is there already: remove one", level.Value)
		p.when(len(level.AMR) == 0, at+".amr", "is empty: list the ways to sign in that reach it, such as pwd")
		for j, amr := range level.AMR {
			p.when(amr != "pwd" && amr != "user", fmt.Sprintf("%s.amr[%d]", at, j), "%q is no way to sign in here: write pwd (a password) or user (one click, in development mode)", amr)
		}
		seen[level.Value] = true
	}
	for i, client := range c.Clients {
		alg := client.AuthorizationSignedResponseAlg
		p.when(alg != "" && !slices.ContainsFunc(c.SigningKeys, func(k SigningKey) bool { return k.Alg == alg }),
			fmt.Sprintf("clients[%d].authorization_signed_response_alg", i), "%q has no signing key: add one to signing_keys, or choose another alg", alg)
		for _, value := range client.DefaultACRValues {
			p.when(!slices.Contains(authorize.Levels(c.ACRValues).Values(), value), fmt.Sprintf("clients[%d].default_acr_values", i), "%q is none of acr_values: add it there", value)
		}
	}
}

// release is what the configuration says about claims.
func (c Config) release() userinfo.Release {
	scopes := map[string][]string{}
	for _, scope := range c.Scopes {
		scopes[scope.Name] = scope.Claims
	}
	return userinfo.Release{Scopes: scopes}
}

// openRequests gives the authorization endpoint the rooms that its requests may name.
func (p *site) openRequests() {
	e := p.authorize
	e.Release, e.Levels, e.Resources = p.config.release(), p.config.ACRValues, p.config.KnownResources()
	e.ClientAuth, e.Reveal = p.clientAuth, func(_ context.Context, client oidc.Client, wire string) (string, error) {
		return p.subjects.Reveal(client, wire)
	}
	e.Proof = p.dpop.Proof
	e.Objects = &requestobject.Reader{Issuer: p.config.Issuer, Keys: p.clientKeys, Get: p.fetchObject, Why: fetch.Why, Now: p.deps.Now}
	e.Pushed = &par.Requests{
		Records: storage.NewBucket[par.Request]("par", p.deps.Store), Lifetime: p.config.PAR.Lifetime, Now: p.deps.Now, Random: p.deps.Random,
	}
	e.Sign = func(alg string, claims any) (string, error) {
		return p.keys.Sign(cmp.Or(alg, p.config.defaultAlg()), keys.TypeIDToken, claims) // JARM §3: "The default, if omitted, is RS256"
	}
	p.token.Claims = p.idTokenClaims
}

// idTokenClaims are the claims about the user that the claims parameter asked for in the ID token.
func (p *site) idTokenClaims(sub string, _ oidc.Scope, requested map[string]*oidc.ClaimRequest) map[string]any {
	user, _ := p.users.BySub(sub)
	return p.authorize.Release.IDToken(user.Claims, requested)
}

// objectTypes are the media types of a request object (RFC 9101 §9.4.1), and those that servers of plain files give one.
var objectTypes = []string{"application/oauth-authz-req+jwt", "application/jwt", "+jwt", "application/jose", "text/plain", "application/octet-stream"}

func (p *site) fetchObject(ctx context.Context, address string) ([]byte, error) {
	return p.fetch.GetType(ctx, address, objectTypes...)
}

// servePAR is POST /par.
func (p *site) servePAR(c echo.Context) error {
	p.dpop.GiveNonce(c.Response(), c.Request())
	response, err := p.authorize.Push(c.Request())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, response)
}

// renderMessage writes the page that posts the answer as a message. The client may frame it, as it does under prompt=none.
func (p *site) renderMessage(c echo.Context, message authorize.Message) error {
	trace.From(c.Request().Context()).Set(func(record *trace.Record) { record.Answer = trace.Params(message.Values) })
	page := pages.NewWebMessage(p.pages.Frame(c.Request(), p.config.Issuer), message.Target, message.Values)
	return p.pages.Render(c.Response(), http.StatusOK, "web_message", page, pages.Policy{FramedBy: message.RedirectURI})
}
