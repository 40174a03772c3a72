package rp_test

import (
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"

	"github.com/hush-idp/hush/rp"
)

// An application that signs its users in, shows their claims, and signs them out.
func Example() {
	party, err := rp.New(rp.Config{
		Issuer:                "https://idp.example.com",
		ClientID:              "web",
		ClientSecret:          os.Getenv("CLIENT_SECRET"),
		RedirectURI:           "https://app.example.com/auth/callback",
		PostLogoutRedirectURI: "https://app.example.com/",
		Scopes:                []string{"openid", "profile"},
	})
	if err != nil {
		log.Fatal(err) // everything that is wrong with the configuration
	}

	http.HandleFunc("/auth/login", party.Login) // a link to /auth/login?return_to=/profile signs in
	http.HandleFunc("/auth/callback", party.Callback)
	http.HandleFunc("/auth/logout", party.Logout) // <form method="post" action="/auth/logout">
	http.HandleFunc("/profile", func(w http.ResponseWriter, r *http.Request) {
		session, err := party.Session(r)
		if err == rp.ErrNoSession {
			http.Redirect(w, r, "/auth/login?return_to=/profile", http.StatusSeeOther)
			return
		}
		if err != nil { // the store's
			http.Error(w, "try again later", http.StatusServiceUnavailable)
			return
		}
		var claims struct{ Name string }
		if err := json.Unmarshal(session.Claims, &claims); err != nil {
			slog.Error("claims", "error", err)
		}
		fmt.Fprintf(w, "Hello %s, the provider calls you %s", claims.Name, session.Sub)
	})
	// A failed sign-in redirects to return_to, or to the folder of RedirectURI, with the error.
	http.HandleFunc("/auth/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "That did not work: %s", r.FormValue("error_description"))
	})
}

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
