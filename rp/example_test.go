package rp_test

import (
	"errors"
	"html"
	"log"
	"net/http"
	"os"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/rp"
)

// An application that signs its users in, greets them by name, and signs them out. A sign-in without return_to ends at
// Config.Home, which is / here.
func Example() {
	party, err := rp.New(rp.Config{
		Issuer:                "https://idp.example.com",
		ClientID:              "web",
		ClientSecret:          os.Getenv("CLIENT_SECRET"),
		RedirectURI:           "https://app.example.com/auth/callback",
		PostLogoutRedirectURI: "https://app.example.com/",
		Scopes:                []string{"openid", "profile", "email"},
		UserInfoAtSignIn:      true, // the name is in userinfo, and not in the ID Token
		OnSignIn:              admit,
	})
	if err != nil {
		log.Fatal(err) // everything that is wrong with the configuration
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", application(party)))
}

// admit finds the application's user, or refuses the sign-in.
func admit(_ *http.Request, session *rp.Session) error {
	var person struct{ Name, Email string }
	if err := session.ReadClaims(&person); err != nil {
		return err
	}
	if person.Email == "" {
		return oidc.AccessDenied.Errorf("this application needs your email address")
	}
	session.User = person.Name // most applications look the user up in a database by session.Sub
	return nil
}

func application(party *rp.RP) http.Handler {
	mux := http.NewServeMux()
	party.Mount(mux, "/auth")
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if failure := r.FormValue("error_description"); failure != "" { // a sign-in or sign-out failed
			write(w, "That did not work: "+html.EscapeString(failure)+signInLink)
			return
		}
		session, err := party.Session(r)
		if errors.Is(err, rp.ErrNoSession) {
			write(w, signInLink)
			return
		}
		if err != nil { // the store's
			http.Error(w, "try again later", http.StatusServiceUnavailable)
			return
		}
		write(w, "Hello "+html.EscapeString(session.User)+
			`<form method="post" action="/auth/logout"><button>Sign out</button></form>`)
	})
	return mux
}

const signInLink = `<p><a href="/auth/login">Sign in</a>`

func write(w http.ResponseWriter, page string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte("<!doctype html><title>Example</title>" + page))
}
