package keys

import (
	"crypto"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// The typ header of what the provider signs.
const (
	TypeIDToken     = "JWT"    // RFC 7519 §5.1
	TypeAccessToken = "at+jwt" // RFC 9068 §2.1
)

// Spec describes one signing key: its algorithm (RFC 7518 §3.1: RS256, PS256, ES256 or EdDSA) and, if it is kept, the
// PEM file (PKCS #8) that holds it. Without a file the key is made at start.
type Spec struct {
	Alg  jose.SignatureAlgorithm
	File string
}

// Ring holds the provider's signing keys, one for each algorithm, the default one first, and the public halves of those
// that Rotate replaced.
type Ring struct {
	algs []jose.SignatureAlgorithm

	rotating sync.Mutex // one rotation at a time, or one would replace the other's key and nobody would publish it

	mutex   sync.RWMutex
	keys    map[jose.SignatureAlgorithm]func() (*key, error)
	retired []jose.JSONWebKey // the newest first; at most maxRetired
}

// maxRetired is how many replaced keys stay published.
const maxRetired = 8

// key is one signing key with a ready signer for each typ.
type key struct {
	private crypto.Signer
	public  jose.JSONWebKey
	signers map[string]jose.Signer
}

// New returns the ring that specs describe and starts to make or read its keys in the background. The first spec is
// the default. Errors in specs are returned now; an error in a file is returned by Ready and by whatever needs the key.
func New(specs []Spec) (*Ring, error) {
	if len(specs) == 0 {
		return nil, errors.New("keys: no signing key is configured; RS256 is the least a provider needs")
	}
	ring := &Ring{keys: map[jose.SignatureAlgorithm]func() (*key, error){}}
	for _, spec := range specs {
		if !slices.Contains(Algorithms(), spec.Alg) {
			return nil, fmt.Errorf("keys: alg %q is not supported; supported are %v", spec.Alg, Algorithms())
		}
		if ring.keys[spec.Alg] != nil {
			return nil, fmt.Errorf("keys: alg %s is configured twice", spec.Alg)
		}
		ring.add(spec)
	}
	return ring, nil
}

func (r *Ring) add(spec Spec) {
	made := sync.OnceValues(func() (*key, error) { return newKey(spec) })
	go func() { _, _ = made() }() // OnceValues keeps result and error for whoever asks
	r.algs = append(r.algs, spec.Alg)
	r.keys[spec.Alg] = made
}

// Algorithms lists what a Spec may ask for.
func Algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.PS256, jose.EdDSA}
}

// Algs lists the algorithms of the ring, the default first.
func (r *Ring) Algs() []jose.SignatureAlgorithm { return slices.Clone(r.algs) }

// Ready waits for all keys and returns the first error in making or reading them.
func (r *Ring) Ready() error {
	_, err := r.Public()
	return err
}

// Public returns the public halves of all keys, as the jwks_uri publishes them (RFC 7517 §5): those that sign first, then
// those that signed before.
func (r *Ring) Public() (jose.JSONWebKeySet, error) {
	var set jose.JSONWebKeySet
	for _, alg := range r.algs {
		k, err := r.key(alg)
		if err != nil {
			return jose.JSONWebKeySet{}, err
		}
		set.Keys = append(set.Keys, k.public)
	}
	r.mutex.RLock()
	defer r.mutex.RUnlock()
	set.Keys = append(set.Keys, r.retired...)
	return set, nil
}

// key is the one that signs by alg now.
func (r *Ring) key(alg jose.SignatureAlgorithm) (*key, error) {
	r.mutex.RLock()
	made := r.keys[alg]
	r.mutex.RUnlock()
	return made()
}

// Rotate makes a new key for each algorithm and signs with it at once. Tokens signed before stay good: the old public halves
// stay published, the newest eight of them. A configured file is read again only at the next start.
//
// Where teaching ends: a client that cached the key set sees an unknown kid until it fetches the set anew. Production
// publishes the new key first and waits until caches have expired.
func (r *Ring) Rotate() error {
	r.rotating.Lock()
	defer r.rotating.Unlock()
	for _, alg := range r.algs {
		fresh, err := newKey(Spec{Alg: alg})
		if err != nil {
			return err
		}
		if err := r.replace(alg, fresh); err != nil {
			return err
		}
	}
	return nil
}

func (r *Ring) replace(alg jose.SignatureAlgorithm, fresh *key) error {
	old, err := r.key(alg)
	if err != nil {
		return err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.keys[alg] = func() (*key, error) { return fresh, nil }
	r.retired = slices.Insert(r.retired, 0, old.public)
	r.retired = r.retired[:min(len(r.retired), maxRetired)]
	return nil
}

// Alg returns wanted, or the ring's default for "". It returns an error when the ring has no such key.
func (r *Ring) Alg(wanted string) (jose.SignatureAlgorithm, error) {
	alg := jose.SignatureAlgorithm(wanted)
	if wanted == "" {
		return r.algs[0], nil
	}
	if !slices.Contains(r.algs, alg) {
		return "", fmt.Errorf("keys: there is no %s signing key; there are %v", wanted, r.algs)
	}
	return alg, nil
}

// Sign returns claims as a JWT in compact form, signed by the ring's key for alg ("" is the default), with kid and typ in
// its header. typ is TypeIDToken or TypeAccessToken.
func (r *Ring) Sign(alg, typ string, claims any) (string, error) {
	name, err := r.Alg(alg)
	if err != nil {
		return "", err
	}
	k, err := r.key(name)
	if err != nil {
		return "", err
	}
	return jwt.Signed(k.signers[typ]).Claims(claims).Serialize()
}

// SignWithoutKID is Sign with a header that does not name the key: for the failure lab.
func (r *Ring) SignWithoutKID(alg, typ string, claims any) (string, error) {
	name, err := r.Alg(alg)
	if err != nil {
		return "", err
	}
	k, err := r.key(name)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: name, Key: k.private}, new(jose.SignerOptions).WithType(jose.ContentType(typ)))
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(claims).Serialize()
}

// Verify checks that token is a JWT of the given typ with a valid signature by one of the ring's keys, and reads its
// claims into claims. It judges nothing else: not the issuer, not the audience, not the expiry.
func (r *Ring) Verify(token, typ string, claims any) error {
	parsed, err := jwt.ParseSigned(token, r.algs)
	if err != nil {
		return fmt.Errorf("it is no JWT signed with one of %v: %w", r.algs, err)
	}
	header := parsed.Headers[0]
	if got, _ := header.ExtraHeaders[jose.HeaderType].(string); got != typ {
		return fmt.Errorf("its typ is %q, expected %q", got, typ)
	}
	set, err := r.Public()
	if err != nil {
		return err
	}
	for _, public := range set.Keys {
		if public.KeyID == header.KeyID && public.Algorithm == header.Algorithm {
			return parsed.Claims(public.Key, claims)
		}
	}
	return fmt.Errorf("its kid %q is none of this provider's keys (was the provider restarted?)", header.KeyID)
}

func newKey(spec Spec) (*key, error) {
	private, err := load(spec)
	if err != nil {
		return nil, err
	}
	public := jose.JSONWebKey{Key: private.Public(), Algorithm: string(spec.Alg), Use: "sig"}
	thumbprint, err := public.Thumbprint(crypto.SHA256) // RFC 7638
	if err != nil {
		return nil, err
	}
	public.KeyID = encodeKeyID(thumbprint)
	k := &key{private: private, public: public, signers: map[string]jose.Signer{}}
	for _, typ := range []string{TypeIDToken, TypeAccessToken} {
		signing := jose.SigningKey{Algorithm: spec.Alg, Key: jose.JSONWebKey{Key: private, KeyID: public.KeyID}}
		k.signers[typ], err = jose.NewSigner(signing, new(jose.SignerOptions).WithType(jose.ContentType(typ)))
		if err != nil {
			return nil, err
		}
	}
	return k, nil
}
