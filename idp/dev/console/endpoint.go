package console

import (
	"errors"
	"net/http"

	"golang.org/x/sync/semaphore"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/dev/check"
	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/logout"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/token"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/trace"
)

// Path is the path of the console. Its API is below. Name is the name of both endpoints.
const (
	Path = endpoint.PathConsole
	Name = "console"
)

// Endpoint serves the console of one issuer.
type Endpoint struct {
	Issuer  string
	Issuers []string // all under which this provider answers, Issuer among them
	// BackChannel has the hosts besides Issuers at which programs may use the console.
	BackChannel endpoint.BackChannel
	Origins     []string // other origins whose pages may use the console: the demo's
	Token       string   // the CSRF token of requests that change something
	Pages       *pages.Pages
	Hub         *trace.Hub
	Lab         *lab.Lab
	Fetcher     *check.Fetcher // fetches the pages of apps
	Clients     *clients.Register
	Users       *users.Directory
	Keys        *keys.KeySet
	Sessions    *session.Manager // the sessions of Issuer
	Consents    *grant.Consents
	Tokens      token.Direct // makes tokens without a request of a client
	// FetchPrivate lets Fetcher ask this machine and private networks about clients that the operator registered.
	FetchPrivate bool
	Waits        *semaphore.Weighted // the requests that wait for a flow; see NewWaits
	Sender       *logout.Sender      // informs clients about sessions that the console ended; nil: it informs none
	Served       []endpoint.Endpoint // where faults can happen
	Provided     clients.Provided    // what a client may use
	Ending       <-chan struct{}     // closed when the provider ends, which ends streams; nil: never
}

// Endpoints returns the console and its API below Path, guards included.
func (e *Endpoint) Endpoints() []endpoint.Endpoint {
	handler := e.handler()
	console := endpoint.Endpoint{
		Name: Name, Path: Path, Audience: endpoint.Developers, Untraced: true, Streams: true,
		Methods: []string{
			http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
		},
		Serve: func(w http.ResponseWriter, r *http.Request) error {
			handler.ServeHTTP(w, r)
			return nil
		},
	}
	below := console
	below.Path += "/{path...}"
	return []endpoint.Endpoint{console, below}
}

func (e *Endpoint) handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.HandleFunc(r.Method+" "+Path+r.Path, e.answering(r))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		e.refuse(w, r, http.StatusNotFound, oidc.InvalidRequest.Errorf("the console has nothing for %s %s", r.Method,
			r.URL.Path))
	})
	return e.guarded(mux)
}

// answering calls the route's handler and writes the result as JSON. A handler that returns nil has written the answer.
func (e *Endpoint) answering(route Route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		answer, err := route.serve(e, w, r)
		switch {
		case errors.Is(err, storage.ErrUnavailable):
			unavailable := oidc.TemporarilyUnavailable.Errorf("the provider's store cannot be reached: try again in a moment")
			e.refuse(w, r, http.StatusServiceUnavailable, unavailable.Because(err))
		case endpoint.TooLarge(err) != nil:
			e.refuse(w, r, http.StatusRequestEntityTooLarge, endpoint.TooLarge(err))
		case errors.Is(err, errAbsent):
			e.refuse(w, r, http.StatusNotFound, err)
		case err != nil:
			e.refuse(w, r, oidc.AsError(err).Status(), err)
		case answer != nil:
			_ = oidc.WriteJSON(w, http.StatusOK, answer) // fails only if the client has gone
		}
	}
}
