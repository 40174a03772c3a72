package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// withPairwise makes the built-in client spa a pairwise one.
func withPairwise(t *testing.T) *idptest.Provider {
	t.Helper()
	return idptest.Start(t, func(c *idp.Config) {
		*c = c.WithDefaults()
		c.Clients[0].SubjectType, c.Clients[0].SectorIdentifierURI = oidc.SubjectPairwise, "https://sector.test/uris.json"
	})
}

func TestAPairwiseClientKnowsAUserByANameOfItsOwn(t *testing.T) {
	p := withPairwise(t)
	b := p.Browser(t)
	b.SignIn("alice")
	tokens := b.Tokens("spa", b.Code(idptest.Request("spa")))
	sub := claims(t, tokens["id_token"])["sub"]
	if sub == "alice" || sub == "" {
		t.Errorf("Core §8.1 the ID token's sub is %v", sub)
	}
	if got := claims(t, tokens["access_token"])["sub"]; got != sub {
		t.Errorf("Core §8.1 the access token tells the sub %v; want %v", got, sub)
	}
	if got := userinfo(t, b, tokens).JSON(t)["sub"]; got != sub {
		t.Errorf("Core §5.3.2 userinfo's sub MUST be that of the ID token: %v; want %v", got, sub)
	}
	if again := claims(t, b.Tokens("spa", b.Code(idptest.Request("spa")))["id_token"])["sub"]; again != sub {
		t.Errorf("Core §8.1 the sub is another one the next time: %v; want %v", again, sub)
	}
	if web := claims(t, b.Tokens("web", b.Code(idptest.Request("web")))["id_token"])["sub"]; web != "alice" {
		t.Errorf("Core §8 a public client's sub is %v", web)
	}
}

func TestTheHintOfAPairwiseClientNamesItsUser(t *testing.T) {
	p := withPairwise(t)
	b := p.Browser(t)
	b.SignIn("alice")
	token := b.Tokens("spa", b.Code(idptest.Request("spa")))["id_token"].(string)
	wantCode(t, b.Authorize(idptest.Request("spa", "prompt", "none", "id_token_hint", token)))
	other := p.Browser(t)
	other.SignIn("bob")
	if page := other.Authorize(
		idptest.Request("spa", "prompt", "none", "id_token_hint", token),
	); page.Location.Query().Get("error") != "login_required" {
		t.Errorf("Core §3.1.2.1 a hint of somebody else gives %v", page.Location)
	}
	out := b.Get(
		"/logout?" + url.Values{
			"id_token_hint": {token}, "post_logout_redirect_uri": {"http://localhost:9090/spa/"},
		}.Encode(),
	)
	if out.Status != http.StatusSeeOther && !strings.Contains(out.Body, "return-to") {
		t.Errorf("RP-Initiated Logout §2 with its hint gives %d\n%s", out.Status, out.Body)
	}
}

func TestPairwiseNeedsASaltOnAPublicProvider(t *testing.T) {
	var config idp.Config
	public(&config)
	config.Clients[0].SubjectType = oidc.SubjectPairwise
	if err := idp.Validate(config.WithDefaults()); err == nil || !strings.Contains(err.Error(), "pairwise_salt") {
		t.Errorf("Core §8.1 without a salt: %v", err)
	}
	config.PairwiseSalt = strings.Repeat("s", 31)
	if err := idp.Validate(config.WithDefaults()); err == nil || !strings.Contains(err.Error(), "pairwise_salt") {
		t.Errorf("Core §8.1 with a short one: %v", err)
	}
	config.PairwiseSalt += "s"
	if err := idp.Validate(config.WithDefaults()); err != nil {
		t.Errorf("with a salt: %v", err)
	}
	config.Clients[0].RedirectURIs = []string{"https://a.test/cb", "https://b.test/cb"}
	if err := idp.Validate(config.WithDefaults()); err == nil || !strings.Contains(err.Error(), "sector_identifier_uri") {
		t.Errorf("Core §8.1 several hosts and no sector: %v", err)
	}
	if got := metadata(t, idptest.Start(t, public)).SubjectTypesSupported; len(got) != 1 {
		t.Errorf("Discovery §3 subject_types_supported without a salt: %v", got)
	}
}
