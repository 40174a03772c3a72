package console

import (
	"errors"
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
	Pages     []check.Page    `json:"pages"` // of the app, as they were fetched last
}

// checksBody is the body of POST /console/checks.
type checksBody struct {
	ClientID string `json:"client_id"`
	Library  string `json:"library,omitempty"` // as in GET
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

// fetchAndCheck is POST /console/checks: it fetches the callback page and the start page of the app, and judges.
func (e *Endpoint) fetchAndCheck(_ http.ResponseWriter, r *http.Request) (any, error) {
	var asked checksBody
	if err := readJSON(r, &asked); err != nil {
		return nil, err
	}
	seen, err := e.seen(r, asked.ClientID)
	if err != nil {
		return nil, err
	}
	switch err := e.Fetcher.Fetch(r.Context(), seen, e.reach(asked.ClientID)); {
	case errors.Is(err, check.ErrBusy):
		return nil, oidc.TemporarilyUnavailable.Errorf("pages of an app are being fetched: try again in a moment")
	case err != nil:
		return nil, err
	}
	return e.judged(r, asked.ClientID, asked.Library)
}

// reach says which addresses of the client the provider may ask. A client that the operator registered may be in a
// private network.
func (e *Endpoint) reach(clientID string) check.Reach {
	isIt := func(c oidc.Client) bool { return c.ClientID == clientID }
	switch {
	case !e.FetchPrivate:
		return check.Public
	case slices.ContainsFunc(e.Clients.All(), isIt):
		return check.Private
	case e.Clients.Unregistered != nil && slices.ContainsFunc(e.Clients.Unregistered.All(), isIt):
		return check.Loopback
	}
	return check.Public
}

// seen is what was seen of the client, without a library.
func (e *Endpoint) seen(r *http.Request, clientID string) (check.Seen, error) {
	client, err := e.Clients.ByID(r.Context(), clientID)
	if err != nil {
		return check.Seen{}, unknownClient(clientID, err)
	}
	flows := check.OfApps(e.Hub.Flows())
	seen := check.Seen{Client: *client, Issuer: e.issuerOf(clientID, flows), Flows: flows}
	seen.Pages = e.Fetcher.Pages(clientID)
	return seen, nil
}

func (e *Endpoint) judged(r *http.Request, clientID, library string) (any, error) {
	seen, err := e.seen(r, clientID)
	if err != nil {
		return nil, err
	}
	list := checkList{ClientID: clientID, Inferred: library == "", Pages: orEmpty(seen.Pages)}
	for _, l := range check.Libraries() {
		list.Libraries = append(list.Libraries, l.Name)
	}
	of, ok := check.LibraryByName(library)
	if list.Inferred {
		of = check.Infer(clientID, seen.Flows)
	} else if !ok {
		return nil, oidc.InvalidRequest.Errorf("library %.50q is not known: use one of %q", library, list.Libraries)
	}
	list.Library, seen.Library = of.Name, of
	list.Findings = check.Judge(seen)
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
