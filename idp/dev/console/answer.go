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

// refuse answers an error: a page if the browser shows the answer, JSON for a script.
func (e *Endpoint) refuse(w http.ResponseWriter, r *http.Request, status int, err error) {
	shown := oidc.AsError(err)
	if !strings.HasPrefix(r.Header.Get("Accept"), "text/html") {
		_ = oidc.WriteJSON(w, status, shown) // fails only if the client has gone
		return
	}
	frame := e.Pages.Frame(r, e.Issuer)
	frame.Title, frame.Language, frame.CSRF = "The console does not answer this", "", ""
	_ = e.Pages.Render(w, status, pages.Error{
		Frame:  frame,
		Status: status, Code: string(shown.Code), Description: shown.Description,
	}, pages.Policy{})
}

// errAbsent is in the error about a thing that the path names and that does not exist. The answer is a 404.
var errAbsent = errors.New("there is no such thing")

// readJSON reads the request's body into what.
func readJSON(r *http.Request, what any) error { return decode(r.Body, what) }

// decode reads JSON into what. An unknown field is an error, because it is probably a typing error.
func decode(text io.Reader, what any) error {
	decoder := json.NewDecoder(text)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(what)
	if _, ours := errors.AsType[*oidc.Error](err); ours {
		return err
	}
	if errors.Is(err, io.EOF) {
		return oidc.InvalidRequest.Errorf("the body is empty: send a JSON object")
	}
	if err != nil {
		return oidc.InvalidRequest.Errorf("the body cannot be read: %s", oidc.JSONFault(err)).Because(err)
	}
	return nil
}
