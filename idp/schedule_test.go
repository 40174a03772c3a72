package idp_test

import (
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
)

// Core §10.1.1: the provider's keys rotate, and who has a token of before is still recognised.
func TestKeysRotateByConfiguration(t *testing.T) {
	p := idptest.Start(t, func(c *idp.Config) {
		c.RotateEvery, c.Session.Absolute, c.Session.Idle = 24*time.Hour, 48*time.Hour, 48*time.Hour
	})
	b := p.Browser(t)
	b.SignIn("alice")
	kid := func() any {
		return header(t, b.Tokens("spa", b.Code(idptest.Request("spa")))["id_token"].(string))["kid"]
	}
	old := b.Tokens("spa", b.Code(idptest.Request("spa")))
	first := kid()
	p.Clock.Pass(25 * time.Hour)
	// the rotation is made beside the requests
	for until := time.Now().Add(5 * time.Second); len(jwksOf(t, p)) < 2 && time.Now().Before(until); {
		p.Clock.Pass(2 * time.Second)
		kid()
	}
	if got := jwksOf(t, p); len(got) != 2 {
		t.Fatalf("%d keys are published; want the new one and the old one", len(got))
	}
	p.Clock.Pass(15 * time.Second)
	for until := time.Now().Add(5 * time.Second); kid() == first && time.Now().Before(until); {
		p.Clock.Pass(2 * time.Second)
	}
	if kid() == first {
		t.Error("the new key does not sign")
	}
	wantCode(t, b.Authorize(idptest.Request("spa", "prompt", "none", "id_token_hint", old["id_token"].(string))))
}

func jwksOf(t *testing.T, p *idptest.Provider) []any {
	t.Helper()
	return body(t, serve(p, get(t, "GET", "/jwks", nil)))["keys"].([]any)
}
