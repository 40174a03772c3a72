package clients

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// cached is the maximum number of pairwise subs in the cache: about 2 MB.
const cached = 1 << 14

// Subjects gives users their subs, public or pairwise (Core §8). It may be used by many goroutines at once.
type Subjects struct {
	salt  []byte
	users *users.Directory
	made  *lru.Cache[string, string]
}

// NewSubjects returns the subs of the users. Pairwise subs depend on salt; without a salt there are none.
func NewSubjects(salt string, users *users.Directory) *Subjects {
	return &Subjects{salt: []byte(salt), users: users, made: newCache[string](cached)}
}

// Types lists the supported values of subject_type: pairwise needs a salt.
func (s *Subjects) Types() []string {
	if len(s.salt) == 0 {
		return []string{oidc.SubjectPublic}
	}
	return []string{oidc.SubjectPublic, oidc.SubjectPairwise}
}

// Of returns the user's sub for the client. Core §8.1: "The Subject Identifier value MUST NOT be reversible by any
// party other than the OpenID Provider. Sector Identifiers that are distinct MUST result in different Subject
// Identifier values. The algorithm MUST be deterministic."
// https://openid.net/specs/openid-connect-core-1_0.html#PairwiseAlg
func (s *Subjects) Of(client *oidc.Client, sub string) (string, error) {
	if client.SubjectType != oidc.SubjectPairwise {
		return sub, nil
	}
	sector, err := Sector(client)
	if err != nil {
		return "", err
	}
	if len(s.salt) == 0 {
		return "", fmt.Errorf("clients: client %s is pairwise, and no pairwise_salt is configured", client.ClientID)
	}
	shown := s.pairwise(sector, sub)
	s.made.Add(shown, sub)
	return shown, nil
}

// Reveal returns the provider's own sub of a user. shown is the user's sub for the client. The result is empty if no
// user has it. The hash cannot be reversed, so Reveal looks into a cache, and then hashes the sub of every user.
func (s *Subjects) Reveal(client *oidc.Client, shown string) (string, error) {
	if client.SubjectType != oidc.SubjectPairwise {
		return shown, nil
	}
	sector, err := Sector(client)
	if err != nil {
		return "", err
	}
	if sub, ok := s.made.Get(shown); ok && equal(s.pairwise(sector, sub), shown) {
		return sub, nil
	}
	for _, user := range s.users.All() {
		if equal(s.pairwise(sector, user.Sub), shown) {
			s.made.Add(shown, user.Sub)
			return user.Sub, nil
		}
	}
	return "", nil
}

// pairwise hashes sector and sub, separated by a byte that neither contains: no two pairs give the same text.
func (s *Subjects) pairwise(sector, sub string) string {
	mac := hmac.New(sha256.New, s.salt)
	mac.Write([]byte("pairwise\x00" + sector + "\x00" + sub))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// Sector returns the Sector Identifier of the client. Core §8.1: of a registered sector_identifier_uri "the host
// component of that URL is used as the Sector Identifier"; without one "the Sector Identifier used for pairwise
// identifier calculation is the host component of the registered redirect_uri. If there are multiple hostnames in the
// registered redirect_uris, the Client MUST register a sector_identifier_uri."
func Sector(client *oidc.Client) (string, error) {
	if client.SectorIdentifierURI != "" {
		return host(client.SectorIdentifierURI)
	}
	sector := ""
	for _, uri := range client.RedirectURIs {
		of, err := host(uri)
		if err != nil {
			return "", err
		}
		if sector != "" && of != sector {
			return "", fmt.Errorf("clients: client %s is pairwise and its redirect_uris have the hosts %s and %s: "+
				"it needs a sector_identifier_uri (Core §8.1)", client.ClientID, sector, of)
		}
		sector = of
	}
	if sector == "" {
		return "", fmt.Errorf("clients: client %s is pairwise and has neither redirect_uris nor sector_identifier_uri, "+
			"so its sector is not known", client.ClientID)
	}
	return sector, nil
}

// host returns the host of the URI in lower case, without port. A URI without a host, of an app's own scheme, gives the
// scheme.
func host(uri string) (string, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return "", fmt.Errorf("clients: %q is no URI: %w", uri, err)
	}
	if u.Hostname() == "" {
		return u.Scheme + ":", nil
	}
	return strings.ToLower(u.Hostname()), nil
}
