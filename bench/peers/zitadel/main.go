// Command zitadel serves zitadel/oidc, a library of handlers, with a store in maps. The library has no sessions: its
// own handler always redirects to a sign-in page, and a renewal would be three requests. So this program answers an
// authorization request of a signed-in browser with the code at once, which is the library's best case.
package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"io"
	"log"
	"log/slog"
	"net/http"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/hush-idp/hush/bench/peers/peer"
)

func main() {
	p := peer.Parse()
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError})))
	store := &store{
		key:    signingKey{p.Key, jose.SignatureAlgorithm(p.Algorithm)},
		client: client{jwt: p.JWT}, requests: map[string]*request{}, codes: map[string]string{}, tokens: map[string]string{},
	}
	config := &op.Config{CodeMethodS256: true, CryptoKey: [32]byte([]byte(rand.Text() + rand.Text()))}
	library, err := op.NewProvider(config, store, op.StaticIssuer(p.Issuer), op.WithAllowInsecure())
	if err != nil {
		log.Fatal(err)
	}
	handler := op.RegisterLegacyServer(
		atOnce{op.NewLegacyServer(library, *op.DefaultEndpoints), library}, op.AuthorizeCallbackHandler(library))
	log.Fatal(http.ListenAndServe(p.Listen, withSessions(p, handler)))
}

type sessionKey struct{}

// withSessions adds sign-in, and the session to the context of authorization requests. Keys and discovery are the
// library's.
func withSessions(p *peer.Peer, library http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", p.SignIn)
	mux.HandleFunc("GET /authorize", p.SignedIn(func(w http.ResponseWriter, r *http.Request, session peer.Session) {
		library.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, session)))
	}))
	mux.Handle("/", library)
	return mux
}

// atOnce is the library's server with another answer to authorization requests.
type atOnce struct {
	*op.LegacyServer
	library op.OpenIDProvider
}

// Authorize answers with a code, or with the error of the store: login_required.
func (a atOnce) Authorize(ctx context.Context, r *op.ClientRequest[oidc.AuthRequest]) (*op.Redirect, error) {
	request, err := a.library.Storage().CreateAuthRequest(ctx, r.Data, "")
	if err != nil {
		return op.TryErrorRedirect(ctx, r.Data, err, a.library.Encoder(), nil)
	}
	address, err := op.BuildAuthResponseCallbackURL(ctx, request, a.library)
	if err != nil {
		return nil, err
	}
	return op.NewRedirect(address), nil
}

type signingKey struct {
	key crypto.Signer
	alg jose.SignatureAlgorithm
}

func (k signingKey) ID() string                                  { return peer.KeyID }
func (k signingKey) Key() any                                    { return k.key }
func (k signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return k.alg }

type publicKey struct{ signingKey }

func (k publicKey) Key() any                           { return k.key.Public() }
func (k publicKey) Algorithm() jose.SignatureAlgorithm { return k.alg }
func (k publicKey) Use() string                        { return "sig" }
