// Package discovery is what the provider says about itself: its metadata and keys for programs, its home page for people.
//
//	endpoint.Endpoint.Describe ─► Describe ─► oidc.Metadata ─► /.well-known/openid-configuration   OpenID Connect Discovery §4
//	                                                       └─► /.well-known/oauth-authorization-server   RFC 8414 §3
//	keys.KeySet.Public ─────────────────────────────────────► /jwks   RFC 7517 §5
//	sessions, consents, clients ──────────────────────────► /   (home.go)
package discovery

import (
	"context"
	"fmt"
	"net/http"

	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/oidc"
)

// The paths of the documents.
const (
	Path      = "/.well-known/openid-configuration"
	pathOAuth = "/.well-known/oauth-authorization-server"
	pathJWKS  = "/jwks"
)

// Endpoint serves the provider's metadata and keys.
type Endpoint struct {
	Issuer   string
	Metadata *oidc.Metadata // complete before the first request
	Keys     *keys.KeySet
}

// Endpoints are those of both metadata documents and of the key set.
func (e *Endpoint) Endpoints() []endpoint.Endpoint {
	get := []string{http.MethodGet}
	return []endpoint.Endpoint{
		{Name: "discovery", Path: Path, Methods: get, Audience: endpoint.Files, Serve: e.serveMetadata},
		{Name: "discovery", Path: pathOAuth, Methods: get, Audience: endpoint.Files, Serve: e.serveMetadata},
		{
			Name: "jwks", Path: pathJWKS, Methods: get, Audience: endpoint.Files, Serve: e.serveKeys,
			Describe: func(m *oidc.Metadata) { m.JWKSURI = e.Issuer + pathJWKS },
		},
	}
}

// serveMetadata answers with the metadata. Clients may keep it for a minute, so that a change is soon seen.
func (e *Endpoint) serveMetadata(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", "public, max-age=60")
	return oidc.WriteJSON(w, http.StatusOK, e.Metadata)
}

// serveKeys answers with the key set. A client that keeps it for longer than it takes until a new key signs meets an unknown kid.
func (e *Endpoint) serveKeys(w http.ResponseWriter, r *http.Request) error {
	set, err := e.Keys.Public(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "public, max-age=5")
	return oidc.WriteJSON(w, http.StatusOK, set)
}

// Health answers whether the process is alive and ready.
type Health struct {
	Keys   *keys.KeySet
	Usable func(context.Context) error // why the store cannot be used now; nil: it always can
}

// NameHealth is the name of the endpoints of Health, which are asked every few seconds.
const NameHealth = "health"

// Endpoints are /healthz, whether the process is alive, and /readyz, whether it can answer requests.
func (h *Health) Endpoints() []endpoint.Endpoint {
	get := []string{http.MethodGet}
	return []endpoint.Endpoint{
		{Name: NameHealth, Path: "/healthz", Methods: get, Audience: endpoint.Files, Serve: alive, Untraced: true},
		{Name: NameHealth, Path: "/readyz", Methods: get, Audience: endpoint.Files, Serve: h.serveReady, Untraced: true},
	}
}

func alive(w http.ResponseWriter, _ *http.Request) error {
	return oidc.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (h *Health) serveReady(w http.ResponseWriter, r *http.Request) error {
	if err := h.Ready(r.Context()); err != nil {
		return oidc.WriteJSON(w, http.StatusServiceUnavailable, map[string]string{"status": "unavailable", "reason": err.Error()})
	}
	return alive(w, r)
}

// Ready waits for the signing keys and returns why requests cannot be answered.
func (h *Health) Ready(ctx context.Context) error {
	if err := h.Keys.Ready(ctx); err != nil {
		return fmt.Errorf("the signing keys are not usable: %w", err)
	}
	if h.Usable == nil {
		return nil
	}
	return h.Usable(ctx)
}
