package console

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/oidc"
)

// nothing is the answer of a route without content.
type nothing struct{}

func writeJSON(w http.ResponseWriter, status int, answer any) {
	if answer == (nothing{}) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // fails only if the client has gone
}

// refuse answers an error: a page where a person looks at it, JSON elsewhere.
func (e *Endpoint) refuse(w http.ResponseWriter, r *http.Request, status int, err error) {
	shown := oidc.AsError(err)
	if !isForPerson(r) || e.renderError(w, status, shown) != nil {
		writeJSON(w, status, shown)
	}
}

func (e *Endpoint) renderError(w http.ResponseWriter, status int, shown *oidc.Error) error {
	page := pages.Error{
		Frame:  pages.Frame{Title: "The console does not answer this", Issuer: e.Issuer},
		Status: status, Code: string(shown.Code), Description: shown.Description,
	}
	return e.Pages.Render(w, status, "error", page, pages.Policy{})
}

// isForPerson tells whether the answer is shown in a window rather than read by a script.
func isForPerson(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Accept"), "text/html")
}

// readJSON reads the request's body into what. A field that nobody knows is an error: it would be a typing error.
func readJSON(r *http.Request, what any) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(what)
	if _, ours := errors.AsType[*oidc.Error](err); ours {
		return err
	}
	if errors.Is(err, io.EOF) {
		return oidc.InvalidRequest.Errorf("the body is empty: send a JSON object")
	}
	if err != nil {
		return oidc.InvalidRequest.Errorf("the body cannot be read as what is expected here: %v", err).Because(err)
	}
	return nil
}
