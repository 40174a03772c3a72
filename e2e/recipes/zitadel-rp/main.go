// An app that signs users in with github.com/zitadel/oidc, package rp.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log"
	"net/http"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/client/rp"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

type tokens = oidc.Tokens[*oidc.IDTokenClaims]

func main() {
	party, err := discover(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	app := &app{party: party}
	http.HandleFunc("/{$}", app.home)
	http.Handle("/login", rp.AuthURLHandler(rand.Text, party))
	http.Handle("/callback", rp.CodeExchangeHandler(rp.UserinfoCallback(app.signedIn), party))
	http.HandleFunc("/renew", app.renew)
	http.HandleFunc("/logout", app.logout)
	log.Fatal(http.ListenAndServe(strings.Replace(origin, "http://localhost", "127.0.0.1", 1), nil))
}

type app struct {
	party    rp.RelyingParty
	sessions sessions
}

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if s := a.sessions.find(r); s.Tokens != nil {
		fmt.Fprintf(w, "Hello, %s: /renew /logout", s.Name)
		return
	}
	fmt.Fprint(w, "Nobody is signed in: /login")
}

// signedIn is called after the code was exchanged, the ID token was verified and userinfo was fetched.
func (a *app) signedIn(
	w http.ResponseWriter, r *http.Request, t *tokens, _ string, _ rp.RelyingParty, info *oidc.UserInfo,
) {
	a.sessions.begin(w, session{Name: info.Name, Tokens: t})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *app) renew(w http.ResponseWriter, r *http.Request) {
	s := a.sessions.find(r)
	if s.Tokens == nil {
		unauthorized(w, r, "Nobody is signed in", "")
		return
	}
	renewed, err := rp.RefreshTokens[*oidc.IDTokenClaims](r.Context(), a.party, s.Tokens.RefreshToken, "", "")
	if err != nil {
		unauthorized(w, r, err.Error(), "")
		return
	}
	a.sessions.end(r)
	a.sessions.begin(w, session{Name: s.Name, Tokens: renewed})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// logout ends the session at the provider with a request of this server: the browser does not go to the provider.
func (a *app) logout(w http.ResponseWriter, r *http.Request) {
	if s := a.sessions.end(r); s.Tokens != nil {
		if _, err := rp.EndSession(r.Context(), a.party, s.Tokens.IDToken, origin+"/", "", "", nil); err != nil {
			log.Print(err)
		}
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// refused answers a callback with an error.
func refused(w http.ResponseWriter, r *http.Request, code, description, _ string) {
	unauthorized(w, r, code+" "+description, "")
}

func unauthorized(w http.ResponseWriter, _ *http.Request, words, _ string) {
	http.Error(w, words+": /login", http.StatusUnauthorized)
}
