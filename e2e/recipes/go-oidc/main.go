// An app that signs users in with github.com/coreos/go-oidc and golang.org/x/oauth2.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"strings"

	"golang.org/x/oauth2"
)

func main() {
	party, err := discover(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	app := &app{party: party}
	http.HandleFunc("/{$}", app.home)
	http.HandleFunc("/login", app.login)
	http.HandleFunc("/callback", app.callback)
	http.HandleFunc("/renew", app.renew)
	http.HandleFunc("/logout", app.logout)
	log.Fatal(http.ListenAndServe(strings.Replace(origin, "http://localhost", "127.0.0.1", 1), nil))
}

type app struct {
	party    *party
	sessions sessions
}

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if s := a.sessions.find(r); s.Token != nil {
		fmt.Fprintf(w, "Hello, %s: /renew /logout", s.Name)
		return
	}
	fmt.Fprint(w, "Nobody is signed in: /login")
}

func (a *app) login(w http.ResponseWriter, r *http.Request) {
	s := session{State: oauth2.GenerateVerifier(), Verifier: oauth2.GenerateVerifier()}
	a.sessions.begin(w, s)
	http.Redirect(w, r, a.party.AuthCodeURL(s.State, oauth2.S256ChallengeOption(s.Verifier)), http.StatusSeeOther)
}

func (a *app) callback(w http.ResponseWriter, r *http.Request) {
	s := a.sessions.find(r)
	if code := r.FormValue("error"); code != "" || s.State == "" || r.FormValue("state") != s.State {
		http.Error(w, code+": /login", http.StatusUnauthorized)
		return
	}
	token, err := a.party.Exchange(r.Context(), r.FormValue("code"), oauth2.VerifierOption(s.Verifier))
	a.keep(w, r, token, err)
}

func (a *app) renew(w http.ResponseWriter, r *http.Request) {
	s := a.sessions.find(r)
	if s.Token == nil {
		http.Error(w, "Nobody is signed in: /login", http.StatusUnauthorized)
		return
	}
	old := &oauth2.Token{RefreshToken: s.Token.RefreshToken} // without an access token it counts as expired
	token, err := a.party.TokenSource(r.Context(), old).Token()
	a.keep(w, r, token, err)
}

// keep verifies the ID token, and begins a session with the tokens.
func (a *app) keep(w http.ResponseWriter, r *http.Request, token *oauth2.Token, err error) {
	var claims struct{ Name string }
	if err == nil {
		raw, _ := token.Extra("id_token").(string)
		idToken, failed := a.party.verifier.Verify(r.Context(), raw)
		if err = failed; err == nil {
			err = idToken.Claims(&claims)
		}
	}
	if err != nil {
		http.Error(w, err.Error()+": /login", http.StatusUnauthorized)
		return
	}
	a.sessions.end(r)
	a.sessions.begin(w, session{Name: claims.Name, Token: token})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *app) logout(w http.ResponseWriter, r *http.Request) {
	s := a.sessions.end(r)
	hint := ""
	if s.Token != nil {
		hint, _ = s.Token.Extra("id_token").(string)
	}
	http.Redirect(w, r, a.party.leave(hint), http.StatusSeeOther)
}
