package oidc

import (
	"encoding/json"
	"net/http"
)

// WriteJSON answers with v as JSON. Its error is that of the connection, or of a value that JSON cannot express.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(v)
}
