package main

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/hush-idp/hush/rp"
)

// apiScope is what an access token must be good for at the API.
const apiScope = "api.read"

// me is the API: it tells the caller what it knows from the access token alone. It runs behind rp.Resource, so whoever
// comes here has a verified token.
func me(w http.ResponseWriter, r *http.Request) {
	token, ok := rp.AccessTokenFrom(r.Context())
	if !ok {
		http.Error(w, "this handler must stand behind rp.Resource", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{ // the caller is gone, or it worked
		"hello":     token.Sub,
		"client_id": token.ClientID,
		"scope":     token.Scope.String(),
		"jti":       token.Jti,
		"exp":       token.Exp.UTC().Format(time.RFC3339),
	})
}
