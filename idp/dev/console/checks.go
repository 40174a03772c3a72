package console

import (
	"net/http"
	"slices"

	"github.com/hush-idp/hush/idp/dev/check"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// checkList is the answer of GET and POST /console/checks.
type checkList struct {
	ClientID string `json:"client_id"`
	// Library is the library of the remedies. Inferred: nobody named it, and a request of the app has its signs.
	Library   string          `json:"library"`
	Inferred  bool            `json:"inferred"`
	Libraries []string        `json:"libraries"` // that can be named
	Findings  []check.Finding `json:"findings"`
}

// checkQuery are the parameters of GET /console/checks.
var checkQuery = []Parameter{
	{"client", "the client_id of the app"},
	{"library", "the library of the app, one of libraries; without it, the one whose signs a request has, or other"},
}

// checks is GET /console/checks: it judges what was seen, and asks nobody.
func (e *Endpoint) checks(_ http.ResponseWriter, r *http.Request) (any, error) {
	query, _ := oidc.ParseQuery(r.URL.RawQuery)
	return e.judged(r, query.Get("client"), query.Get("library"))
}

func (e *Endpoint) judged(r *http.Request, clientID, library string) (any, error) {
	client, err := e.Clients.ByID(r.Context(), clientID)
	if err != nil {
		return nil, unknownClient(clientID, err)
	}
	flows := e.Hub.Flows()
	list := checkList{ClientID: clientID, Inferred: library == ""}
	for _, l := range check.Libraries() {
		list.Libraries = append(list.Libraries, l.Name)
	}
	of, ok := check.LibraryByName(library)
	if list.Inferred {
		of = check.Infer(clientID, flows)
	} else if !ok {
		return nil, oidc.InvalidRequest.Errorf("library %.50q is not known: use one of %q", library, list.Libraries)
	}
	list.Library = of.Name
	list.Findings = check.Judge(check.Seen{
		Client: *client, Issuer: e.issuerOf(clientID, flows), Library: of, Flows: flows,
	})
	return list, nil
}

// issuerOf is the issuer that the client used last, or else that of the console.
func (e *Endpoint) issuerOf(clientID string, flows []trace.Flow) string {
	i := slices.IndexFunc(flows, func(f trace.Flow) bool { return f.ClientID == clientID && f.Issuer != "" })
	if i < 0 {
		return e.Issuer
	}
	return flows[i].Issuer
}
