package authorize

import (
	stdcmp "cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage/storagetest"
)

// keys are the client's, and one that is not.
var (
	keyES, keyForeign = mustEC(), mustEC()
	keyRS             = mustRSA()
	keyEd             = mustEd()
)

func mustEC() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func mustRSA() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

func mustEd() ed25519.PrivateKey {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func objectClient() oidc.Client {
	return oidc.Client{
		ClientID: "app",
		JWKS: &oidc.KeySet{JSONWebKeySet: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
			{
				Key: keyES.Public(), KeyID: "es", Algorithm: "ES256", Use: "sig"}, {Key: keyRS.Public(),
				KeyID: "rs"}, {Key: keyEd.Public(), KeyID: "ed"},
		}}},
		RequestURIs: []string{"https://app.test/r.jwt#old", "https://app.test/other.jwt"},
	}
}

func newObjectReader(clock *storagetest.Clock) *ObjectReader {
	return &ObjectReader{Issuer: testIssuer, Keys: clients.NewKeys(nil, nil, clock.Now), Fetch: fetcher(), Now: clock.Now}
}

// draft is a request object that is not yet signed.
type draft struct {
	alg, typ string
	kid      string
	key      any
	claims   map[string]any
	header   map[string]any
	compact  string // in its place
}

func goodDraft(now time.Time) draft {
	return draft{alg: "ES256", typ: "oauth-authz-req+jwt", kid: "es", key: keyES, claims: map[string]any{
		"iss": "app", "aud": testIssuer, "exp": now.Add(time.Minute).Unix(), "nbf": now.Unix(), "iat": now.Unix(), "jti": "1",
		"client_id": "app", "response_type": "code", "scope": "openid", "redirect_uri": "https://app.test/cb",
	}}
}

func (o draft) sign(t testing.TB) string {
	t.Helper()
	compact, err := o.compactForm()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func (o draft) compactForm() (string, error) {
	if o.compact != "" {
		return o.compact, nil
	}
	payload, err := json.Marshal(o.claims)
	if err != nil {
		return "", err
	}
	header := map[string]any{"alg": o.alg}
	maps.Copy(header, o.header)
	if o.alg == none || o.key == nil {
		text, err := json.Marshal(header)
		return base64.RawURLEncoding.EncodeToString(text) + "." + base64.RawURLEncoding.EncodeToString(payload) + ".", err
	}
	options := new(jose.SignerOptions).WithHeader("kid", o.kid)
	for name, value := range o.header {
		options = options.WithHeader(jose.HeaderKey(name), value)
	}
	if o.typ != "" {
		options = options.WithType(jose.ContentType(o.typ))
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(o.alg), Key: o.key}, options)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

var objectRows = []struct {
	name   string
	change func(o *draft, c *oidc.Client, now time.Time)
	good   bool
}{
	{
		name: "RFC 9101 §4 a request object signed with ES256 is read", good: true,
		change: func(*draft, *oidc.Client, time.Time) {},
	},
	{
		name: "Core §6.1 a request object signed with RS256 is read", good: true,
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.alg, o.kid, o.key = "RS256", "rs", keyRS },
	},
	{
		name: "RFC 9101 §6.2 a request object signed with PS256 is read", good: true,
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.alg, o.kid, o.key = "PS256", "rs", keyRS },
	},
	{
		name: "RFC 9101 §6.2 a request object signed with EdDSA is read", good: true,
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.alg, o.kid, o.key = "EdDSA", "ed", keyEd },
	},
	{
		name: "Core §6.1 alg none is read where nothing else is registered", good: true,
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.alg = none },
	},
	{
		name: "RFC 9101 §10.8 typ may be JWT", good: true,
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.typ = "JWT" },
	},
	{
		name: "RFC 9101 §4 typ may be left out", good: true,
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.typ = "" },
	},
	{
		name: "RFC 7515 §4.1.9 typ may be written as a media type", good: true,
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.typ = "application/oauth-authz-req+jwt" },
	},
	{name: "Core §6.1 iss, aud, exp and client_id may be left out", good: true, change: func(o *draft, _ *oidc.Client, _ time.Time) {
		for _, name := range []string{"iss", "aud", "exp", "nbf", "iat", "jti", "client_id"} {
			delete(o.claims, name)
		}
	}},
	{
		name: "RFC 9101 §4 aud may be a list", good: true,
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.claims["aud"] = []string{"https://x.test", testIssuer} },
	},
	{
		name: "RFC 7519 §4.1.5 a clock that is a little ahead is forgiven", good: true,
		change: func(o *draft, _ *oidc.Client, now time.Time) { o.claims["nbf"] = now.Add(5 * time.Second).Unix() },
	},

	{
		name:   "RFC 9101 §6.1 an encrypted request object is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.compact = "e30.e30.e30.e30.e30" },
	},
	{
		name:   "RFC 9101 §4 what is no JWT is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.compact = "garbage" },
	},
	{
		name:   "RFC 9101 §4 a header that is no JSON is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.compact = "AAAA.e30." },
	},
	{
		name:   "RFC 9101 §4 a payload that is no JSON object is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.compact = "eyJhbGciOiJub25lIn0.W10." },
	},
	{
		name:   "RFC 9101 §4 a payload of null is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.compact = "eyJhbGciOiJub25lIn0.bnVsbA." },
	},
	{
		name:   "RFC 7518 §3.6 alg none with a signature is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.compact = "eyJhbGciOiJub25lIn0.e30.AAAA" },
	},
	{
		name:   "RFC 9101 §10.8 a JWT of another typ is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.typ = "at+jwt" },
	},
	{name: "RFC 7515 §4.1.11 crit is refused", change: func(o *draft, _ *oidc.Client, _ time.Time) {
		o.alg, o.header = none, map[string]any{"crit": []string{"x"}}
	}},
	{
		name:   "RFC 9101 §6.2 an unknown alg is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.alg, o.key = "HS256", nil },
	},
	{
		name:   "RFC 9101 §6.2 a signature by another key is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.key = keyForeign },
	},
	{
		name:   "RFC 9101 §6.2 a client without keys cannot sign",
		change: func(_ *draft, c *oidc.Client, _ time.Time) { c.JWKS = nil },
	},
	{
		name:   "RFC 9101 §6.2 a signed header without a signature is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.key = nil },
	},
	{
		name:   "Registration §2 an alg that is not the registered one is refused",
		change: func(_ *draft, c *oidc.Client, _ time.Time) { c.RequestObjectSigningAlg = "RS256" },
	},
	{
		name:   "Registration §2 alg none is refused where an alg is registered",
		change: func(o *draft, c *oidc.Client, _ time.Time) { o.alg, c.RequestObjectSigningAlg = none, "ES256" },
	},
	{
		name:   "RFC 9101 §10.5 alg none is refused where signatures are required",
		change: func(o *draft, c *oidc.Client, _ time.Time) { o.alg, c.RequireSignedRequestObject = none, true },
	},
	{name: "FAPI 2.0 §5.4.1 RS256 is refused", change: func(o *draft, c *oidc.Client, _ time.Time) {
		o.alg, o.kid, o.key, c.Profile = "RS256", "rs", keyRS, oidc.ProfileFAPI2
	}},

	{
		name:   "RFC 9101 §4 request inside is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.claims["request"] = "e30.e30." },
	},
	{
		name:   "RFC 9101 §4 request_uri inside is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.claims["request_uri"] = "https://app.test/other.jwt" },
	},
	{
		name:   "RFC 9101 §5 another client_id inside is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.claims["client_id"] = "other" },
	},
	{
		name:   "RFC 9101 §5 a client_id that is no string is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.claims["client_id"] = 7 },
	},
	{
		name:   "RFC 9101 §4 another iss is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.claims["iss"] = "other" },
	},
	{
		name:   "RFC 9101 §4 another aud is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.claims["aud"] = "https://other.test" },
	},
	{
		name:   "RFC 7519 §4.1.4 an expired request object is refused",
		change: func(o *draft, _ *oidc.Client, now time.Time) { o.claims["exp"] = now.Unix() },
	},
	{
		name:   "RFC 7519 §4.1.4 an exp that is no number is refused",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.claims["exp"] = "soon" },
	},
	{
		name:   "RFC 7519 §4.1.5 a request object before its nbf is refused",
		change: func(o *draft, _ *oidc.Client, now time.Time) { o.claims["nbf"] = now.Add(time.Minute).Unix() },
	},
	{
		name:   "Core §6.3.1 an encrypted request object is refused: the metadata lists no encryption for one",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.compact = "eyJhbGciOiJSU0EtT0FFUCJ9.e30.e30.e30.e30" },
	},
	{name: "Core §6.3.2 the alg is the registered one", change: func(o *draft, c *oidc.Client, _ time.Time) {
		o.alg, o.kid, o.key, c.RequestObjectSigningAlg = "PS256", "rs", keyRS, "RS256"
	}},
	{
		name:   "Core §6.3.2 a key for another alg does not verify",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.alg, o.kid, o.key = "RS256", "es", keyRS },
	},
	{name: "RFC 9101 §6.2 a kid of nobody's", change: func(o *draft, _ *oidc.Client, _ time.Time) { o.kid = "x" }},
	{name: "RFC 8725 §3.10 a key that the request object itself brings proves nothing", change: func(o *draft, _ *oidc.Client, _ time.Time) {
		o.key, o.header = keyForeign, map[string]any{"jwk": jose.JSONWebKey{Key: keyForeign.Public(), KeyID: "es"}}
	}},
	{name: "RFC 8725 §3.10 nor does one at an address that it names", change: func(o *draft, _ *oidc.Client, _ time.Time) {
		o.key, o.header = keyForeign, map[string]any{"jku": "https://evil.test/jwks"}
	}},
	{name: "RFC 7515 §4 a header's name is that name, in one case", change: func(o *draft, _ *oidc.Client, _ time.Time) {
		o.compact = base64.RawURLEncoding.EncodeToString([]byte(`{"ALG":"none"}`)) + ".e30."
	}},
	{name: "RFC 7515 §4 a header's name stands once", change: func(o *draft, _ *oidc.Client, _ time.Time) {
		o.compact = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","alg":"none"}`)) + ".e30."
	}},
	{name: "FAPI 2.0 §5.3.2.1 iat and nbf 10 seconds in the future are accepted", good: true, change: func(o *draft, _ *oidc.Client, now time.Time) {
		o.claims["iat"], o.claims["nbf"] = now.Add(10*time.Second).Unix(), now.Add(10*time.Second).Unix()
	}},
	{
		name:   "FAPI 2.0 §5.3.2.1 iat more than 60 seconds in the future is rejected",
		change: func(o *draft, _ *oidc.Client, now time.Time) { o.claims["iat"] = now.Add(61 * time.Second).Unix() },
	},
	{
		name:   "FAPI 2.0 §5.3.2.1 nbf more than 60 seconds in the future is rejected",
		change: func(o *draft, _ *oidc.Client, now time.Time) { o.claims["nbf"] = now.Add(61 * time.Second).Unix() },
	},
	{
		name:   "FAPI 2.0 §5.4.1 none is refused",
		change: func(o *draft, c *oidc.Client, _ time.Time) { o.alg, c.Profile = none, oidc.ProfileFAPI2 },
	},
	{
		name:   "RFC 9101 §10.8 a client assertion is no request",
		change: func(o *draft, _ *oidc.Client, _ time.Time) { o.claims["sub"] = "app" },
	},
}

func TestRequestObjects(t *testing.T) {
	broken := watchObjectRules(t)
	for _, row := range objectRows {
		t.Run(row.name, func(t *testing.T) {
			clock := storagetest.NewClock()
			o, client := goodDraft(clock.Now()), objectClient()
			row.change(&o, &client, clock.Now())
			read, err := newObjectReader(clock).Read(t.Context(), client, o.sign(t))
			switch {
			case row.good && (err != nil || read.Params.Get("client_id") != "app" || read.Signed != (o.alg != none)):
				t.Errorf("got %+v, %v; want it read", read, err)
			case !row.good && (err == nil || oidc.AsError(err).Code != oidc.InvalidRequestObject):
				t.Errorf("got %+v, %v; want invalid_request_object", read, err)
			}
		})
	}
	for text, is := range broken {
		if !is {
			t.Errorf("no row breaks the rule %q", text)
		}
	}
}

// watchObjectRules notes which rules are broken, until the test ends.
func watchObjectRules(t *testing.T) map[string]bool {
	broken, headers, claims := map[string]bool{}, slices.Clone(headerRules), slices.Clone(claimRules)
	for i, rule := range headers {
		broken[rule.Text] = false
		headerRules[i].Holds = func(o unread) bool {
			holds := rule.Holds(o)
			broken[rule.Text] = broken[rule.Text] || !holds
			return holds
		}
	}
	for i, rule := range claims {
		broken[rule.Text] = false
		claimRules[i].Holds = func(o unread) bool {
			holds := rule.Holds(o)
			broken[rule.Text] = broken[rule.Text] || !holds
			return holds
		}
	}
	t.Cleanup(func() { copy(headerRules, headers); copy(claimRules, claims) })
	return broken
}

func TestTheMembersBecomeParameters(t *testing.T) { // RFC 9101 §4
	clock := storagetest.NewClock()
	o := goodDraft(clock.Now())
	maps.Copy(o.claims, map[string]any{
		"max_age": 1234567, "claims": map[string]any{
			"id_token": map[string]any{"email": nil}}, "resource": []string{"https://a.test", "https://b.test"},
		"odd": true, "nothing": nil, "prompt": []string{"none"},
	})
	read, err := newObjectReader(clock).Read(t.Context(), objectClient(), o.sign(t))
	want := url.Values{
		"client_id": {"app"}, "response_type": {"code"}, "scope": {"openid"}, "redirect_uri": {"https://app.test/cb"}, "max_age": {"1234567"},
		"claims": {
			`{"id_token":{"email":null}}`}, "resource": {"https://a.test",
			"https://b.test"}, "odd": {"true"}, "nothing": {""}, "prompt": {`["none"]`},
	}
	if diff := cmp.Diff(want, read.Params); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestRequestURIs(t *testing.T) {
	clock := storagetest.NewClock()
	content := goodDraft(clock.Now()).sign(t)
	for _, row := range []struct {
		name, uri string
		content   string // default: a good one
		fails     bool   // the fetch
		asked     string // what is fetched
		err       oidc.ErrorCode
	}{
		{
			name: "Core §6.2 a registered request_uri is fetched", uri: "https://app.test/other.jwt",
			asked: "https://app.test/other.jwt",
		},
		{
			name: "Core §6.2 the hash of the content may stand behind it",
			uri:  "https://app.test/other.jwt#" + hash([]byte(content)), asked: "https://app.test/other.jwt",
		},
		{
			name: "Registration §2 the registered fragment may be an old one",
			uri:  "https://app.test/r.jwt#" + hash([]byte(content)), asked: "https://app.test/r.jwt",
		},
		{
			name: "Core §6.2 a fragment that is no hash says nothing", uri: "https://app.test/r.jwt#1",
			asked: "https://app.test/r.jwt",
		},
		{
			name: "Core §6.2 the content behind a hash is not another", uri: "https://app.test/r.jwt#" + hash([]byte("x")),
			asked: "https://app.test/r.jwt", err: oidc.InvalidRequestURI,
		},
		{
			name: "RFC 9101 §5.2.3 what is behind request_uri is fetched and read", uri: "https://app.test/other.jwt",
			asked: "https://app.test/other.jwt",
		},
		{
			name: "Core §6.2.3 white space around the fetched object does no harm", uri: "https://app.test/other.jwt",
			content: content + "\n", asked: "https://app.test/other.jwt",
		},
		{
			name: "RFC 9101 §5.2 the registered https is not left out", uri: "http://app.test/other.jwt",
			err: oidc.InvalidRequestURI,
		},
		{name: "RFC 9101 §5.2 a urn that nobody registered", uri: "urn:example:request", err: oidc.InvalidRequestURI},
		{
			name: "Core §6.2.2 a request_uri of another host with the same path",
			uri:  "https://app.test.evil.test/other.jwt", err: oidc.InvalidRequestURI,
		},
		{
			name: "Core §6.2.2 a request_uri with a user name before the host", uri: "https://x@app.test/other.jwt",
			err: oidc.InvalidRequestURI,
		},
		{
			name: "Registration §2 a request_uri that is not registered is not fetched", uri: "https://evil.test/r.jwt",
			err: oidc.InvalidRequestURI,
		},
		{
			name: "Registration §2 nor one with another query", uri: "https://app.test/other.jwt?x=1",
			err: oidc.InvalidRequestURI,
		},
		{
			name: "RFC 9101 §7 a request_uri that gives nothing", uri: "https://app.test/other.jwt", fails: true,
			asked: "https://app.test/other.jwt", err: oidc.InvalidRequestURI,
		},
		{
			name: "RFC 9101 §7 a request_uri that gives no request object", uri: "https://app.test/other.jwt",
			content: "<html>", asked: "https://app.test/other.jwt", err: oidc.InvalidRequestObject,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			asked := ""
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = "https://app.test" + r.URL.Path
				w.Header().Set("Content-Type", "text/plain")
				if row.fails {
					w.WriteHeader(http.StatusInternalServerError)
				}
				_, _ = io.WriteString(w, stdcmp.Or(row.content, content))
			}))
			defer server.Close()
			client := objectClient()
			for i, uri := range client.RequestURIs {
				client.RequestURIs[i] = strings.Replace(uri, "https://app.test", server.URL, 1)
			}
			_, err := newObjectReader(
				clock).ReadAt(t.Context(), client, strings.Replace(row.uri, "https://app.test/", server.URL+"/", 1))
			if asked != row.asked {
				t.Errorf("fetched %q; want %q", asked, row.asked)
			}
			if row.err == "" && err != nil || row.err != "" && (err == nil || oidc.AsError(err).Code != row.err) {
				t.Errorf("got %v; want %s", err, row.err)
			}
		})
	}
}

// FuzzRequestObject: whatever comes, it is an object of this client, or an error that a client can read.
func FuzzRequestObject(f *testing.F) {
	clock := storagetest.NewClock()
	for _, row := range objectRows {
		o, client := goodDraft(clock.Now()), objectClient()
		row.change(&o, &client, clock.Now())
		f.Add(o.sign(f))
	}
	for _, claims := range []string{`{"exp":1e400}`, `{"aud":[1]}`, `{"aud":null,"scope":{"a":[]}}`, `{"resource":[[]]}`, `{"client_id":"app"}{}`} {
		f.Add("eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".")
	}
	reader, client := newObjectReader(clock), objectClient()
	f.Fuzz(func(t *testing.T, compact string) {
		read, err := reader.Read(t.Context(), client, compact)
		switch {
		case err != nil && oidc.AsError(err).Code != oidc.InvalidRequestObject:
			t.Errorf("%q is the provider's fault: %v", compact, err)
		case err == nil && (!slices.Equal(read.Params["client_id"], []string{"app"}) || read.Params.Has("request") && read.Params.Get("request") != ""):
			t.Errorf("%q gives %v", compact, read.Params)
		case err == nil && read.Signed && strings.HasSuffix(compact, "."):
			t.Errorf("%q counts as signed", compact)
		}
	})
}
