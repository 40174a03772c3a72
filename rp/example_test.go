package rp_test

import (
	"encoding/json"
	"errors"
	"html"
	"log"
	"net/http"
	"net/url"
	"os"

	"github.com/hush-idp/hush/rp"
)

// An application that signs its users in, greets them by name, and signs them out.
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
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", application(party)))
}

func application(party *rp.RP) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/auth/login", party.Login)
	mux.HandleFunc("/auth/callback", party.Callback)
	mux.HandleFunc("/auth/logout", party.Logout)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if failure := r.FormValue("error_description"); failure != "" { // a sign-in or sign-out failed
			write(w, "That did not work: "+html.EscapeString(failure))
			return
		}
		claims, err := party.UserInfo(r) // the ID Token, in Session, has sub and few claims more
		if errors.Is(err, rp.ErrNoSession) || errors.Is(err, rp.ErrTokenExpired) {
			write(w, `<a href="/auth/login?return_to=`+url.QueryEscape(r.URL.Path)+`">Sign in</a>`)
			return
		}
		var person struct{ Name string }
		if err == nil {
			err = json.Unmarshal(claims, &person)
		}
		if err != nil { // the provider's or the store's
			http.Error(w, "try again later", http.StatusServiceUnavailable)
			return
		}
		write(w, "Hello "+html.EscapeString(person.Name)+
			`<form method="post" action="/auth/logout"><button>Sign out</button></form>`)
	})
	return mux
}

func write(w http.ResponseWriter, page string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte("<!doctype html><title>Example</title>" + page))
}
