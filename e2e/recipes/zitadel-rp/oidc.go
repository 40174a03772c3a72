package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"os"
	"time"

	"github.com/zitadel/oidc/v3/pkg/client/rp"
	httphelper "github.com/zitadel/oidc/v3/pkg/http"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

var origin = "http://localhost:" + cmp.Or(os.Getenv("PORT"), "3000")

func discover(ctx context.Context) (rp.RelyingParty, error) {
	issuer := cmp.Or(os.Getenv("ISSUER"), "http://localhost:8080")
	scopes := []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeOfflineAccess}
	key := []byte(rand.Text() + rand.Text())[:32]                                      // new at each start
	cookies := httphelper.NewCookieHandler(key, key, httphelper.WithUnsecure())        // http on this machine only
	options := []rp.Option{rp.WithCookieHandler(cookies), rp.WithPKCE(cookies)}        // state and code_verifier
	options = append(options, rp.WithVerifierOpts(rp.WithIssuedAtOffset(time.Minute))) // the clocks may differ
	options = append(options, rp.WithErrorHandler(refused), rp.WithUnauthorizedHandler(unauthorized))
	return rp.NewRelyingPartyOIDC(ctx, issuer, "zitadel-rp", "zitadel-rp-secret", origin+"/callback", scopes, options...)
}
