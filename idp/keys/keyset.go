package keys

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// The values of the typ header of JWTs that the provider signs.
const (
	TypeIDToken       = "JWT"                     // RFC 7519 §5.1
	TypeAccessToken   = "at+jwt"                  // RFC 9068 §2.1
	TypeIntrospection = "token-introspection+jwt" // RFC 9701 §5
	TypeLogoutToken   = "logout+jwt"              // Back-Channel Logout §2.4
)

// types lists all values of typ.
var types = []string{TypeIDToken, TypeAccessToken, TypeIntrospection, TypeLogoutToken}

// Spec describes one signing key: its algorithm (RFC 7518 §3.1: RS256, PS256, ES256 or EdDSA) and the PEM file (PKCS
// #8) that holds it. Without a file the provider makes the key.
type Spec struct {
	Alg  jose.SignatureAlgorithm `yaml:"alg"`
	File string                  `yaml:"file"`
}

type (
	// Signer signs JWTs. It is a *KeySet; development mode decorates it.
	Signer interface {
		Sign(ctx context.Context, alg, typ string, claims any) (string, error)
	}
	// SignerFunc is a function as a Signer.
	SignerFunc func(ctx context.Context, alg, typ string, claims any) (string, error)
)

// Sign implements Signer.
func (f SignerFunc) Sign(ctx context.Context, alg, typ string, claims any) (string, error) {
	return f(ctx, alg, typ, claims)
}

// KeySet holds the provider's signing keys. One key signs for each algorithm. The first algorithm is the default.
// Replaced keys stay published, and new keys are published before they sign. The ctx of its methods bounds how long
// they wait for the store.
type KeySet struct {
	specs  []Spec
	files  map[jose.SignatureAlgorithm]func() (*key, error) // the keys that come from files
	shared *shared                                          // nil: all keys come from files
}

// Published is a key as the jwks_uri shows it, with its times. A key from a file or of New has no times, and only a
// replaced key has a RetireAt.
type Published struct {
	JWK       jose.JSONWebKey // the public half
	Signs     bool            // now; the other keys will sign later, or were replaced
	CreatedAt time.Time
	SignsAt   time.Time // from then on it signs
	RetireAt  time.Time // from then on it is not published
}

// New is NewShared for this process alone: the keys without a file are lost at its end. New keys sign at once, and the
// newest eight replaced keys stay published.
func New(specs []Spec, now func() time.Time) (*KeySet, error) {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	seal, err := NewSeal([][]byte{secret})
	if err != nil {
		return nil, err
	}
	store := storage.Alone().Store
	return NewShared(specs, Sharing{Store: store, Seal: seal, Now: now, Lifetime: aloneLifetime, alone: true})
}

// NewShared returns a key set whose keys live in a store, so that they survive a restart and all key sets on the same
// record have the same keys. Specs with a file are keys of this process. The first spec is the default. Errors in specs
// are returned now. The keys are made or read in the background; the methods that need a key wait for it, and return
// the error of its file, of the store, or of a wrong secret.
func NewShared(specs []Spec, sharing Sharing) (*KeySet, error) {
	if err := checkSpecs(specs); err != nil {
		return nil, err
	}
	files := map[jose.SignatureAlgorithm]func() (*key, error){}
	for _, spec := range specs {
		if spec.File != "" {
			files[spec.Alg] = sync.OnceValues(func() (*key, error) { return newKey(spec) })
		}
	}
	shared, err := share(made(specs), sharing)
	if err != nil {
		return nil, err
	}
	set := &KeySet{specs: slices.Clone(specs), files: files, shared: shared}
	go func() { _ = set.Ready(context.Background()) }()
	return set, nil
}

// checkSpecs returns the first error of Check.
func checkSpecs(specs []Spec) (err error) {
	if len(specs) == 0 {
		return errors.New("keys: no signing key is configured; RS256 is the least a provider needs")
	}
	Check(specs, 0, 0, func(path, text string) { err = cmp.Or(err, fmt.Errorf("keys: %s %s", path, text)) })
	return err
}

// Algorithms lists the algorithms that a Spec may name.
func Algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.PS256, jose.EdDSA}
}

// made lists the algorithms of the keys that the provider makes and rotates: those without a file.
func made(specs []Spec) (algs []jose.SignatureAlgorithm) {
	for _, spec := range specs {
		if spec.File == "" {
			algs = append(algs, spec.Alg)
		}
	}
	return algs
}

// Algs lists the algorithms of the key set, the default first.
func (s *KeySet) Algs() []jose.SignatureAlgorithm {
	algs := make([]jose.SignatureAlgorithm, len(s.specs))
	for i, spec := range s.specs {
		algs[i] = spec.Alg
	}
	return algs
}

// Ready waits for all keys and returns the first error in making or reading them. If the keys are shared, it may return
// the error of the last read of the store, although the key set still works with the keys that it read before.
func (s *KeySet) Ready(ctx context.Context) error {
	if s.shared != nil {
		if _, err := s.shared.refresh(ctx); err != nil {
			return err
		}
	}
	_, err := s.List(ctx)
	return err
}

// Public returns the public halves of all keys, as the jwks_uri publishes them (RFC 7517 §5), in the order of List.
func (s *KeySet) Public(ctx context.Context) (jose.JSONWebKeySet, error) {
	published, err := s.List(ctx)
	var set jose.JSONWebKeySet
	for _, p := range published {
		set.Keys = append(set.Keys, p.JWK)
	}
	return set, err
}

// List returns all published keys: first the keys that sign, in the order of Algs, then the others, the newest first.
func (s *KeySet) List(ctx context.Context) ([]Published, error) {
	signing, others := make([]Published, len(s.specs)), []Published(nil)
	if s.shared != nil {
		var err error
		if signing, others, err = s.shared.list(ctx, s.Algs()); err != nil {
			return nil, err
		}
	}
	for i, spec := range s.specs {
		if spec.File == "" {
			continue
		}
		k, err := s.files[spec.Alg]()
		if err != nil {
			return nil, err
		}
		signing[i] = Published{JWK: k.public, Signs: true}
	}
	return append(signing, others...), nil
}

// Rotate makes a new key for each algorithm whose key does not come from a file. Tokens signed before stay valid. The
// new keys are published at once and sign after Sharing.Propagation; rotations of several processes within
// Sharing.MergeWithin count as one.
//
// The error is an invalid_request when all keys come from files, and when there were too many rotations shortly before.
func (s *KeySet) Rotate(ctx context.Context) error {
	if s.shared != nil {
		return s.shared.rotate(ctx)
	}
	var files []string
	for _, spec := range s.specs {
		files = append(files, spec.File)
	}
	return oidc.InvalidRequest.Errorf("the signing keys come from files (%s) that only you can replace: "+
		"write a new key and start the provider again, or leave out the file, so that the provider makes its keys "+
		"and can rotate them", strings.Join(files, ", "))
}

// Alg returns wanted, or the default for "". It returns an error when there is no such key.
func (s *KeySet) Alg(wanted string) (jose.SignatureAlgorithm, error) {
	spec, err := s.spec(wanted)
	return spec.Alg, err
}

func (s *KeySet) spec(wanted string) (Spec, error) {
	if wanted == "" {
		return s.specs[0], nil
	}
	for _, spec := range s.specs {
		if string(spec.Alg) == wanted {
			return spec, nil
		}
	}
	return Spec{}, fmt.Errorf("keys: there is no %s signing key; there are %v", wanted, s.Algs())
}

// signing returns the key that now signs by the wanted alg.
func (s *KeySet) signing(ctx context.Context, wanted string) (*key, error) {
	spec, err := s.spec(wanted)
	switch {
	case err != nil:
		return nil, err
	case spec.File != "":
		return s.files[spec.Alg]()
	default:
		return s.shared.signing(ctx, spec.Alg)
	}
}

// Sign returns claims as a JWT in compact form, signed by the key for alg ("" is the default), with kid and typ in its
// header. typ is one of the types above.
func (s *KeySet) Sign(ctx context.Context, alg, typ string, claims any) (string, error) {
	k, err := s.signing(ctx, alg)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return k.signers[typ].sign(payload)
}

// SignWithoutKID is Sign with a header that does not name the key: for the failure lab.
func (s *KeySet) SignWithoutKID(ctx context.Context, alg, typ string, claims any) (string, error) {
	k, err := s.signing(ctx, alg)
	if err != nil {
		return "", err
	}
	signer, err := newJWSSigner(jose.SignatureAlgorithm(k.public.Algorithm), k.private, "", typ)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return signer.sign(payload)
}

// Verify checks that token is a JWT of the given typ with a valid signature by one of the published keys, and reads its
// claims into claims. It checks nothing else: not the issuer, not the audience, not the expiry. Its errors are for the
// developer of the client, except those of the store.
func (s *KeySet) Verify(ctx context.Context, token, typ string, claims any) error {
	return s.VerifyAny(ctx, token, []string{typ}, claims)
}

// VerifyAny is Verify for a JWT of one of several typs. The caller checks by the claims what kind of token it is.
func (s *KeySet) VerifyAny(ctx context.Context, token string, typs []string, claims any) error {
	parsed, err := jwt.ParseSigned(token, Algorithms())
	if err != nil {
		return fmt.Errorf("it is no JWT signed with one of %v", Algorithms())
	}
	header := parsed.Headers[0]
	if err := oidc.CheckCrit(header); err != nil {
		return err
	}
	if got, _ := header.ExtraHeaders[jose.HeaderType].(string); !slices.Contains(typs, got) {
		return fmt.Errorf("its typ is %q, expected %q", got, typs[0])
	}
	public, err := s.find(ctx, header.KeyID, header.Algorithm)
	if err != nil {
		return err
	}
	switch err := parsed.Claims(public.Key, claims); {
	case errors.Is(err, jose.ErrCryptoFailure):
		return fmt.Errorf("its signature is not that of this provider's key %q", header.KeyID)
	case err != nil:
		return errors.New("its claims do not have the form of such a token")
	}
	return nil
}

// find returns the published key with the kid and alg of a token. An unknown key may be new, so find reads the record
// again.
func (s *KeySet) find(ctx context.Context, kid, alg string) (jose.JSONWebKey, error) {
	for again := s.shared != nil; ; again = false {
		published, err := s.List(ctx)
		if err != nil {
			return jose.JSONWebKey{}, err
		}
		for _, p := range published {
			if p.JWK.KeyID == kid && p.JWK.Algorithm == alg {
				return p.JWK, nil
			}
		}
		if !again {
			return jose.JSONWebKey{}, fmt.Errorf("its kid %q is none of this provider's keys (was the provider restarted?)", kid)
		}
		s.shared.readAgain(ctx)
	}
}
