package console

import (
	_ "embed"
	"net/http"

	"github.com/hush-idp/hush/oidc"
)

// OpenAPI is the document about the routes. A test makes it from them: go test ./idp/dev -update.
//
//go:embed openapi.json
var OpenAPI []byte

// clientBody is the body of PUT and PATCH /console/clients/{id}: the members of a client. Durations are text, such as
// 5m.
type clientBody oidc.Client

// openAPI is GET /console/openapi.json.
func (e *Endpoint) openAPI(w http.ResponseWriter, _ *http.Request) (any, error) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(OpenAPI) // fails only if the client has gone
	return nil, nil
}
