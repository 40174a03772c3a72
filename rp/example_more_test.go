package rp_test

import (
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/hush-idp/hush/rp"
)

// An API that takes the access tokens of one provider.
func ExampleResource_Require() {
	resource, err := rp.NewResource(rp.ResourceConfig{Issuer: "https://idp.example.com",
		Audience: "https://api.example.com"})
	if err != nil {
		log.Fatal(err)
	}
	orders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := rp.AccessTokenFrom(r.Context())
		fmt.Fprintf(w, "the orders of %s", token.Sub)
	})
	http.Handle("/orders", resource.Require("orders.read")(orders))
}

// A server that calls an API for its user. Client refreshes an expired token, and adds a proof when Config has DPoP.
func ExampleRP_Client() {
	party, err := rp.New(rp.Config{
		Issuer: "https://idp.example.com", ClientID: "web", ClientSecret: os.Getenv("CLIENT_SECRET"),
		RedirectURI: "https://app.example.com/auth/callback",
		Scopes:      []string{"openid", "offline_access", "orders.read"},
		Resources:   []string{"https://api.example.com"},
		DPoP:        true,
	})
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/orders", func(w http.ResponseWriter, r *http.Request) {
		answer, err := party.Client(r).Get("https://api.example.com/orders")
		if err != nil { // ErrNoSession and ErrTokenExpired are inside: sign in, or renew silently
			http.Error(w, "sign in again", http.StatusUnauthorized)
			return
		}
		defer answer.Body.Close()
		fmt.Fprintf(w, "the API says %s", answer.Status)
	})
}
