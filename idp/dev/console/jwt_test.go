package console_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/keys"
	idptoken "github.com/hush-idp/hush/idp/token"
)

// jwtRow is a good ID token, one change, and the checks that then do not hold.
type jwtRow struct {
	name   string
	claims func(map[string]any)
	asked  func(map[string]string)
	want   map[string]string // the beginning of a check's text, to its outcome and a part of why
}

var jwtRows = []jwtRow{
	{"a good ID token", nil, nil, nil},
	{"Core §3.1.3.7 (3) of another audience", func(c map[string]any) { c["aud"] = "other" }, nil, map[string]string{
		"aud contains the client_id": `fails "other", not spa`, "the ID Token's aud holds trusted": "fails other",
	}},
	{"Core §3.1.3.7 (9) expired", func(c map[string]any) { c["exp"] = time.Now().Unix() - 3600 }, nil, map[string]string{
		"exp has not passed": "fails 1h",
	}},
	{"Core §3.1.3.7 (9) without exp", func(c map[string]any) { delete(c, "exp") }, nil, map[string]string{
		"exp has not passed": "fails no exp",
	}},
	{"RFC 7519 §4.1.5 not valid yet", func(c map[string]any) { c["nbf"] = time.Now().Unix() + 3600 }, nil,
		map[string]string{"nbf, when present": "fails"}},
	{"Core §3.1.3.7 (11) of another request", func(c map[string]any) { c["nonce"] = "other" }, nil, map[string]string{
		"the ID Token's nonce": "fails",
	}},
	{"Core §3.1.3.8 with another access token", nil, func(q map[string]string) { q["access_token"] = "other" },
		map[string]string{"the ID Token's at_hash": "fails"}},
	{"Core §3.1.3.7 (5) for another party", func(c map[string]any) { c["azp"] = "other" }, nil, map[string]string{
		"the ID Token's azp": "fails other",
	}},
	{"RFC 7519 §4.1 with a number as sub", func(c map[string]any) { c["sub"] = 5 }, nil, map[string]string{
		"each claim has the type": "fails",
	}},
	{"Core §3.1.3.7 (2) of another issuer", func(c map[string]any) { c["iss"] = "https://other.test" }, nil,
		map[string]string{
			"iss is this provider": `fails "https://other.test"`, "alg is one": "not_checked the key set is not this provider's",
			"kid names": "not_checked the key set", "the signature": "not_checked the key set",
		}},
	{"without what a client knows", nil, func(q map[string]string) { clear(q) }, map[string]string{
		"aud contains": "not_checked no client", "the ID Token's azp": "not_checked no client",
		"the ID Token's aud": "not_checked no client", "the ID Token's at_hash": "not_checked no access token",
		"the ID Token's nonce": "not_checked no nonce",
	}},
}

func TestAnIDTokenIsCheckedCheckByCheck(t *testing.T) {
	h := newFixture(t)
	for _, row := range jwtRows {
		t.Run(row.name, func(t *testing.T) {
			now := time.Now().Unix()
			claims := map[string]any{"iss": h.Issuer, "sub": "alice", "aud": "spa", "exp": now + 60, "iat": now, "nonce": "n",
				"at_hash": idptoken.AtHash("ES256", "the access token")}
			asked := map[string]string{"client_id": "spa", "nonce": "n", "access_token": "the access token"}
			if row.claims != nil {
				row.claims(claims)
			}
			if row.asked != nil {
				row.asked(asked)
			}
			signed, err := h.Keys.Sign(t.Context(), "", keys.TypeIDToken, claims)
			must(t, err)
			h.checked(t, signed, asked, "id_token", row.want)
		})
	}
}

func TestATokenIsCheckedAlsoAsTheHeaderAuthorizationHasIt(t *testing.T) {
	h := newFixture(t)
	now := time.Now().Unix()
	claims := map[string]any{"iss": h.Issuer, "sub": "alice", "aud": "spa", "exp": now + 60, "iat": now, "nonce": "n",
		"at_hash": idptoken.AtHash("ES256", "access")}
	signed, err := h.Keys.Sign(t.Context(), "", keys.TypeIDToken, claims)
	must(t, err)
	asked := map[string]string{"client_id": "spa", "nonce": "n", "access_token": "Bearer access"}
	for _, prefix := range []string{"Bearer ", " bearer  "} {
		h.checked(t, prefix+signed+"\n", asked, "id_token", nil)
	}
}

// checked sends the token, and compares the checks that do not hold with want.
func (h *fixture) checked(t *testing.T, jwt string, asked map[string]string, kind string, want map[string]string) {
	t.Helper()
	body := map[string]string{"token": jwt}
	for name, value := range asked {
		body[name] = value
	}
	raw, err := json.Marshal(body)
	must(t, err)
	answer := h.json(t, 200, "POST", "/console/jwt", string(raw))
	if answer["kind"] != kind {
		t.Errorf("the token is taken for %v; want %s", answer["kind"], kind)
	}
	found := 0
	for _, one := range answer["checks"].([]any) {
		check := one.(map[string]any)
		why, _ := check["why"].(string)
		got := check["outcome"].(string) + " " + why
		wanted, named := "", ""
		for begin, outcome := range want {
			if strings.HasPrefix(check["text"].(string), begin) {
				named, wanted = begin, outcome
			}
		}
		if named != "" {
			found++
		}
		outcome, part, _ := strings.Cut(wanted, " ")
		if wanted == "" && check["outcome"] != "holds" || !strings.HasPrefix(got, outcome) || !strings.Contains(got, part) {
			t.Errorf("%s (%s): %s; want %q", check["text"], check["spec"], got, wanted)
		}
		if check["spec"] == "" {
			t.Errorf("%s has no section", check["text"])
		}
	}
	if found != len(want) {
		t.Errorf("%d of the checks %v are there; the answer is %v", found, want, answer["checks"])
	}
}

func TestTokensThatAreNoGoodIDTokens(t *testing.T) {
	h := newFixture(t)
	now := time.Now().Unix()
	signed, err := h.Keys.Sign(t.Context(), "", keys.TypeIDToken,
		map[string]any{"iss": h.Issuer, "sub": "alice", "aud": "spa", "exp": now + 60, "iat": now, "nonce": "n"})
	must(t, err)
	asked := map[string]string{"client_id": "spa", "nonce": "n", "access_token": "a"}
	parts := strings.Split(signed, ".")
	flipped := map[bool]string{true: "B", false: "A"}[parts[2][0] == 'A'] + parts[2][1:]
	unsigned := "eyJhbGciOiJub25lIn0." + parts[1] + "."
	critical := "eyJhbGciOiJFUzI1NiIsImNyaXQiOlsieCJdfQ." + parts[1] + "." + parts[2]
	for _, row := range []struct {
		name, jwt, kind string
		want            map[string]string
	}{
		{"RFC 7515 §5.2 a changed signature", parts[0] + "." + parts[1] + "." + flipped, "id_token",
			map[string]string{"the signature": "fails"}},
		{"RFC 8725 §3.2 alg none", unsigned, "id_token", map[string]string{
			"alg is one": "fails none, not ES256", "kid names": "fails", "the signature": "fails",
		}},
		{"RFC 7519 §7.2 null for both parts", "bnVsbA.bnVsbA.AA", "other", map[string]string{"the token is a JWT": "fails"}},
		{"RFC 7515 §2 a line break in a part", parts[0] + "\n." + parts[1] + "." + parts[2], "other",
			map[string]string{"the token is a JWT": "fails"}},
		{"RFC 7515 §4.1.4 kid that is a number", "eyJhbGciOiJFUzI1NiIsImtpZCI6MX0." + parts[1] + "." + parts[2], "id_token",
			map[string]string{"kid names": "fails kid is no text", "the signature": "fails"}},
		{"RFC 7515 §4.1.11 a null as crit", "eyJhbGciOiJFUzI1NiIsImNyaXQiOm51bGx9." + parts[1] + "." + parts[2], "id_token",
			map[string]string{"the header asks for no extension": "fails", "the signature": "fails"}},
		{"RFC 7515 §4.1.11 crit", critical, "id_token", map[string]string{
			"the header asks for no extension": "fails", "the signature": "fails",
		}},
		{"RFC 7519 §7.2 no JWT", "opaque", "other", map[string]string{"the token is a JWT": "fails"}},
		{"RFC 7519 §7.2 claims that are no object", parts[0] + ".W10.x", "other",
			map[string]string{"the token is a JWT": "fails the claims"}},
		{"RFC 7516 §3.1 encrypted", "eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d", "encrypted",
			map[string]string{"the claims and the signature": "not_checked they can be read"}},
	} {
		t.Run(row.name, func(t *testing.T) { h.checked(t, row.jwt, asked, row.kind, row.want) })
	}
}

func TestAnAccessTokenIsCheckedAsAnAPIDoes(t *testing.T) {
	h := newFixture(t)
	now := time.Now().Unix()
	claims := map[string]any{"iss": h.Issuer, "sub": "alice", "aud": "api", "exp": now + 60, "iat": now, "jti": "j",
		"client_id": "spa"}
	for _, row := range []struct {
		name  string
		claim string
		asked map[string]string
		want  map[string]string
	}{
		{"a good one", "", map[string]string{"audience": "api"}, nil},
		{"RFC 9068 §4 for another API", "", map[string]string{"audience": "other"},
			map[string]string{"the access token's aud": `fails ["api"], not other`}},
		{"RFC 9068 §4 without an API", "", nil, map[string]string{"the access token's aud": "not_checked no audience"}},
		{"RFC 9068 §2.2 without jti", "jti", nil, map[string]string{
			"the access token's aud": "not_checked", "the access token has a jti": "fails",
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			own := map[string]any{}
			for name, value := range claims {
				if name != row.claim {
					own[name] = value
				}
			}
			signed, err := h.Keys.Sign(t.Context(), "", keys.TypeAccessToken, own)
			must(t, err)
			h.checked(t, signed, row.asked, "access_token", row.want)
		})
	}
}

func TestATokenToCheckIsBounded(t *testing.T) {
	h := newFixture(t)
	h.json(t, 400, "POST", "/console/jwt", `{"token": ""}`)
	h.json(t, 400, "POST", "/console/jwt", `{"token": "`+strings.Repeat("a", 32<<10+1)+`"}`)
}
