package idp

import (
	"cmp"
	"context"
	"net/http"

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

// release is what the configuration says about claims.
func release(custom []Scope) userinfo.Release {
	scopes := map[string][]string{}
	for _, scope := range custom {
		scopes[scope.Name] = scope.Claims
	}
	return userinfo.Release{Scopes: scopes}
}

// openRequests gives the authorization endpoint the rooms that its requests may name.
func (p *site) openRequests() {
	e := p.authorize
	e.Release, e.Levels, e.Resources = release(p.config.Scopes), p.config.ACRValues, knownResources(p.config)
	e.ClientAuth, e.Reveal = p.clientAuth, func(_ context.Context, client oidc.Client, wire string) (string, error) {
		return p.subjects.Reveal(client, wire)
	}
	e.Proof = p.dpop.Proof
	e.Objects = &requestobject.Reader{Issuer: p.config.Issuer, Keys: p.clientKeys, Get: p.fetchObject, Why: fetch.Why, Now: p.deps.Now}
	e.Pushed = &par.Requests{
		Records: storage.NewBucket[par.Request]("par", p.deps.Store), Lifetime: p.config.PAR.Lifetime, Now: p.deps.Now, Random: p.deps.Random,
	}
	e.Sign = func(alg string, claims any) (string, error) {
		alg = cmp.Or(alg, keys.DefaultAlg(p.config.SigningKeys)) // JARM §3: "The default, if omitted, is RS256"
		return p.keys.Sign(context.Background(), alg, keys.TypeIDToken, claims)
	}
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
