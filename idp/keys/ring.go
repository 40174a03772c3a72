package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// The typ header of what the provider signs.
const (
	TypeIDToken       = "JWT"                     // RFC 7519 §5.1
	TypeAccessToken   = "at+jwt"                  // RFC 9068 §2.1
	TypeIntrospection = "token-introspection+jwt" // RFC 9701 §5
	TypeLogoutToken   = "logout+jwt"              // Back-Channel Logout §2.4
)

// types are all of them.
var types = []string{TypeIDToken, TypeAccessToken, TypeIntrospection, TypeLogoutToken}

// Spec describes one signing key: its algorithm (RFC 7518 §3.1: RS256, PS256, ES256 or EdDSA) and, if it is kept in one, the
// PEM file (PKCS #8) that holds it. Without a file the key is made when it is first needed.
type Spec struct {
	Alg  jose.SignatureAlgorithm `yaml:"alg"`
	File string                  `yaml:"file"`
}

// Ring holds the provider's signing keys, one that signs for each algorithm, the default one first; the public halves of those
// that Rotate replaced; and, when it is shared, those that will sign soon.
type Ring struct {
	specs  []Spec
	local  local
	shared *shared // nil: all keys are local
}

// Published is a key as the jwks_uri shows it, with what the provider knows of it. Times are zero where they are not known:
// a local key has none, and only a replaced one has a RetireAt.
type Published struct {
	JWK       jose.JSONWebKey // the public half
	Signs     bool            // now; the others will, or verify what they signed before
	CreatedAt time.Time
	SignsAt   time.Time // from then on it signs
	RetireAt  time.Time // from then on it is not published
}

// New returns the ring of this process alone that specs describe, and starts to make or read its keys in the background. The
// first spec is the default. Errors in specs are returned now; an error in a file is returned by Ready and by whatever needs
// the key.
func New(specs []Spec) (*Ring, error) {
	ring, err := newRing(specs)
	if err != nil {
		return nil, err
	}
	for _, spec := range specs {
		ring.local.add(spec)
	}
	return ring, nil
}

// NewShared returns a ring whose keys live in a store, so that a restart keeps them and all rings on the same record are one.
// Specs with a file are local as in New. The first view of the store is taken in the background: who needs a key first waits
// for it, and gets the error when the store does not answer or the keys in it are sealed with another secret; so does Ready.
func NewShared(specs []Spec, sharing Sharing) (*Ring, error) {
	ring, err := newRing(specs)
	if err != nil {
		return nil, err
	}
	if algs := ring.rotating(); len(algs) > 0 {
		if ring.shared, err = share(algs, sharing); err != nil {
			return nil, err
		}
	}
	for _, spec := range specs {
		if spec.File != "" {
			ring.local.add(spec)
		}
	}
	return ring, nil
}

func newRing(specs []Spec) (*Ring, error) {
	if len(specs) == 0 {
		return nil, errors.New("keys: no signing key is configured; RS256 is the least a provider needs")
	}
	ring := &Ring{specs: slices.Clone(specs), local: local{keys: map[jose.SignatureAlgorithm]func() (*key, error){}}}
	for i, spec := range specs {
		if !slices.Contains(Algorithms(), spec.Alg) {
			return nil, fmt.Errorf("keys: alg %q is not supported; supported are %v", spec.Alg, Algorithms())
		}
		if slices.ContainsFunc(specs[:i], func(before Spec) bool { return before.Alg == spec.Alg }) {
			return nil, fmt.Errorf("keys: alg %s is configured twice", spec.Alg)
		}
	}
	return ring, nil
}

// Algorithms lists what a Spec may ask for.
func Algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.PS256, jose.EdDSA}
}

// Algs lists the algorithms of the ring, the default first.
func (r *Ring) Algs() []jose.SignatureAlgorithm {
	algs := make([]jose.SignatureAlgorithm, len(r.specs))
	for i, spec := range r.specs {
		algs[i] = spec.Alg
	}
	return algs
}

// rotating are the algorithms whose keys are the provider's own to replace: those without a file.
func (r *Ring) rotating() []jose.SignatureAlgorithm {
	var algs []jose.SignatureAlgorithm
	for _, spec := range r.specs {
		if spec.File == "" {
			algs = append(algs, spec.Alg)
		}
	}
	return algs
}

// Ready waits for all keys and returns the first error in making or reading them. Of a shared ring it is also the error of
// the last look at the store, although the ring still works with what it saw before.
func (r *Ring) Ready() error {
	if _, err := r.List(); err != nil {
		return err
	}
	if r.shared == nil {
		return nil
	}
	return r.shared.lastError()
}

// Public returns the public halves of all keys, as the jwks_uri publishes them (RFC 7517 §5), in the order of List.
func (r *Ring) Public() (jose.JSONWebKeySet, error) {
	published, err := r.List()
	var set jose.JSONWebKeySet
	for _, p := range published {
		set.Keys = append(set.Keys, p.JWK)
	}
	return set, err
}

// List returns all published keys: those that sign first, one for each of Algs and in the same order, then the others, the
// newest first.
func (r *Ring) List() ([]Published, error) {
	signing, others := make([]Published, len(r.specs)), []Published(nil)
	if r.shared != nil {
		var err error
		if signing, others, err = r.shared.list(r.Algs()); err != nil {
			return nil, err
		}
	}
	for i, spec := range r.specs {
		if r.isShared(spec) {
			continue
		}
		k, err := r.local.signing(spec.Alg)
		if err != nil {
			return nil, err
		}
		signing[i] = Published{JWK: k.public, Signs: true}
	}
	for _, public := range r.local.replaced() {
		others = append(others, Published{JWK: public})
	}
	return append(signing, others...), nil
}

func (r *Ring) isShared(spec Spec) bool { return r.shared != nil && spec.File == "" }

// Rotate makes a new key for each algorithm whose key does not come from a file. Tokens signed before stay good.
//
// The new keys of a ring that is not shared sign at once, and the newest eight old public halves stay published: a client that
// cached the key set sees an unknown kid until it fetches the set anew. Those of a shared ring are published at once and sign
// after Sharing.Propagation; rings that rotate at about the same time (Sharing.Together) rotate once.
//
// The error is an invalid_request when all keys come from files, and when too many rotations came before it.
func (r *Ring) Rotate(ctx context.Context) error {
	algs := r.rotating()
	if len(algs) == 0 {
		return errFiles(r.specs)
	}
	if r.shared != nil {
		return r.shared.rotate(ctx)
	}
	return r.local.rotate(algs)
}

// Alg returns wanted, or the ring's default for "". It returns an error when the ring has no such key.
func (r *Ring) Alg(wanted string) (jose.SignatureAlgorithm, error) {
	spec, err := r.spec(wanted)
	return spec.Alg, err
}

func (r *Ring) spec(wanted string) (Spec, error) {
	if wanted == "" {
		return r.specs[0], nil
	}
	for _, spec := range r.specs {
		if string(spec.Alg) == wanted {
			return spec, nil
		}
	}
	return Spec{}, fmt.Errorf("keys: there is no %s signing key; there are %v", wanted, r.Algs())
}

// signing is the key that signs by the wanted alg now.
func (r *Ring) signing(wanted string) (*key, error) {
	spec, err := r.spec(wanted)
	switch {
	case err != nil:
		return nil, err
	case r.isShared(spec):
		return r.shared.signing(spec.Alg)
	default:
		return r.local.signing(spec.Alg)
	}
}

// Sign returns claims as a JWT in compact form, signed by the ring's key for alg ("" is the default), with kid and typ in
// its header. typ is one of the types above.
func (r *Ring) Sign(alg, typ string, claims any) (string, error) {
	k, err := r.signing(alg)
	if err != nil {
		return "", err
	}
	return jwt.Signed(k.signers[typ]).Claims(claims).Serialize()
}

// SignWithoutKID is Sign with a header that does not name the key: for the failure lab.
func (r *Ring) SignWithoutKID(alg, typ string, claims any) (string, error) {
	k, err := r.signing(alg)
	if err != nil {
		return "", err
	}
	signing := jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.public.Algorithm), Key: k.private}
	signer, err := jose.NewSigner(signing, new(jose.SignerOptions).WithType(jose.ContentType(typ)))
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(claims).Serialize()
}

// Verify checks that token is a JWT of the given typ with a valid signature by one of the published keys, and reads its
// claims into claims. It judges nothing else: not the issuer, not the audience, not the expiry.
func (r *Ring) Verify(token, typ string, claims any) error {
	parsed, err := jwt.ParseSigned(token, Algorithms())
	if err != nil {
		return fmt.Errorf("it is no JWT signed with one of %v: %w", Algorithms(), err)
	}
	header := parsed.Headers[0]
	if got, _ := header.ExtraHeaders[jose.HeaderType].(string); got != typ {
		return fmt.Errorf("its typ is %q, expected %q", got, typ)
	}
	public, err := r.find(header.KeyID, header.Algorithm)
	if err != nil {
		return err
	}
	return parsed.Claims(public.Key, claims)
}

// find is the published key that a token names. A kid that a shared ring does not know may be so new that it must look again.
func (r *Ring) find(kid, alg string) (jose.JSONWebKey, error) {
	named := func(public jose.JSONWebKey) bool { return public.KeyID == kid && public.Algorithm == alg }
	set, err := r.Public()
	i := slices.IndexFunc(set.Keys, named)
	if i < 0 && err == nil && r.shared != nil && r.shared.lookAgain() {
		set, err = r.Public()
		i = slices.IndexFunc(set.Keys, named)
	}
	switch {
	case err != nil:
		return jose.JSONWebKey{}, err
	case i < 0:
		return jose.JSONWebKey{}, fmt.Errorf("its kid %q is none of this provider's keys (was the provider restarted?)", kid)
	default:
		return set.Keys[i], nil
	}
}
