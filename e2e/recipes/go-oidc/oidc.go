package main

import (
	"cmp"
	"context"
	"net/url"
	"os"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

var origin = "http://localhost:" + cmp.Or(os.Getenv("PORT"), "3000")

// party is the app as a client of the provider.
type party struct {
	oauth2.Config
	verifier   *oidc.IDTokenVerifier
	endSession string
}

func discover(ctx context.Context) (*party, error) {
	provider, err := oidc.NewProvider(ctx, cmp.Or(os.Getenv("ISSUER"), "http://localhost:8080"))
	if err != nil {
		return nil, err
	}
	var metadata struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&metadata); err != nil {
		return nil, err
	}
	config := oauth2.Config{
		ClientID:     "go-oidc",
		ClientSecret: "go-oidc-secret",
		Endpoint:     provider.Endpoint(),
		RedirectURL:  origin + "/callback",
		Scopes:       []string{oidc.ScopeOpenID, "profile", oidc.ScopeOfflineAccess},
	}
	verifier := provider.Verifier(&oidc.Config{ClientID: config.ClientID})
	return &party{config, verifier, metadata.EndSession}, nil
}

// leave returns the address at which the provider ends its session.
func (p *party) leave(idToken string) string {
	query := url.Values{"id_token_hint": {idToken}, "post_logout_redirect_uri": {origin + "/"}}
	return p.endSession + "?" + query.Encode()
}
