package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/oidc"
)

// refuse answers an error: a page if the browser shows the answer, JSON for a script.
func (e *Endpoint) refuse(w http.ResponseWriter, r *http.Request, status int, err error) {
	shown := oidc.AsError(err)
	if !endpoint.ShowsPage(r) {
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

// maxDepth bounds lists and objects inside each other. The configuration file has the same bound.
const maxDepth = 50

// decode reads JSON into what. An unknown field is an error, because it is probably a typing error.
func decode(text io.Reader, what any) error {
	var value json.RawMessage
	err := json.NewDecoder(text).Decode(&value)
	if err == nil && depthOf(value) > maxDepth {
		return oidc.InvalidRequest.Errorf("the body has more than %d lists and objects inside each other", maxDepth)
	}
	if err == nil {
		decoder := json.NewDecoder(bytes.NewReader(value))
		decoder.DisallowUnknownFields()
		err = decoder.Decode(what)
	}
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

// depthOf counts the lists and objects inside each other.
func depthOf(value []byte) (deepest int) {
	depth, decoder := 0, json.NewDecoder(bytes.NewReader(value))
	for token, err := decoder.Token(); err == nil; token, err = decoder.Token() {
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		deepest = max(deepest, depth)
	}
	return deepest
}
