package authorize

import (
	stdcmp "cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
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
	"github.com/hush-idp/hush/idp/fetch"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage/storagetest"
	"github.com/hush-idp/hush/trace"
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
	return &ObjectReader{
		Issuer: testIssuer, Keys: clients.NewKeys(nil, clock.Now), Documents: fetch.NewCache(fetcher(), clock.Now),
		Now: clock.Now,
	}
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

func TestRequestObjects(t *testing.T) {
	broken := watchObjectRules(t)
	for _, row := range objectRows {
		t.Run(row.name, func(t *testing.T) {
			clock := storagetest.NewClock()
			o, client := goodDraft(clock.Now()), objectClient()
			row.change(&o, &client, clock.Now())
			read, err := newObjectReader(clock).Read(t.Context(), &client, o.sign(t))
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
	client := objectClient()
	read, err := newObjectReader(clock).Read(t.Context(), &client, o.sign(t))
	want := url.Values{
		"client_id": {"app"}, "response_type": {"code"}, "scope": {"openid"}, "redirect_uri": {"https://app.test/cb"},
		"max_age": {"1234567"},
		"claims": {
			`{"id_token":{"email":null}}`}, "resource": {"https://a.test",
			"https://b.test"}, "odd": {"true"}, "nothing": {""}, "prompt": {`["none"]`},
	}
	if diff := cmp.Diff(want, read.Params); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// requestURIRows: {content} stands for a good request object, {hash} for its hash.
var requestURIRows = []struct {
	name, uri string
	content   string // default: a good one
	fails     bool   // the fetch
	asked     string // what is fetched
	noted     bool   // the trace has a step about the fragment
	err       oidc.ErrorCode
}{
	{
		name: "Core §6.2 a registered request_uri is fetched", uri: "https://app.test/other.jwt",
		asked: "https://app.test/other.jwt",
	},
	{
		name: "Core §6.2 the hash of the content may stand behind it",
		uri:  "https://app.test/other.jwt#{hash}", asked: "https://app.test/other.jwt",
	},
	{
		name: "Registration §2 the registered fragment may be an old one",
		uri:  "https://app.test/r.jwt#{hash}", asked: "https://app.test/r.jwt",
	},
	{
		name: "Core §6.2 a fragment that is no hash says nothing", uri: "https://app.test/r.jwt#1",
		asked: "https://app.test/r.jwt",
	},
	{
		name: "Core §6.2 the hash is for caches: another content behind it is accepted",
		uri:  "https://app.test/r.jwt#" + hash([]byte("x")), asked: "https://app.test/r.jwt", noted: true,
	},
	{
		name: "RFC 9101 §5.2.3 what is behind request_uri is fetched and read", uri: "https://app.test/other.jwt",
		asked: "https://app.test/other.jwt",
	},
	{
		name: "Core §6.2.3 white space around the fetched object does no harm", uri: "https://app.test/other.jwt",
		content: "{content}\n", asked: "https://app.test/other.jwt",
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
}

func TestRequestURIs(t *testing.T) {
	clock := storagetest.NewClock()
	content := goodDraft(clock.Now()).sign(t)
	for _, row := range requestURIRows {
		t.Run(row.name, func(t *testing.T) {
			asked := ""
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = "https://app.test" + r.URL.Path
				w.Header().Set("Content-Type", "text/plain")
				if row.fails {
					w.WriteHeader(http.StatusInternalServerError)
				}
				_, _ = io.WriteString(w, strings.ReplaceAll(stdcmp.Or(row.content, content), "{content}", content))
			}))
			defer server.Close()
			client := objectClient()
			for i, uri := range client.RequestURIs {
				client.RequestURIs[i] = strings.Replace(uri, "https://app.test", server.URL, 1)
			}
			filled := strings.NewReplacer("https://app.test/", server.URL+"/", "{hash}", hash([]byte(content)))
			hub := trace.NewHub(trace.Options{Now: clock.Now})
			ctx, recorder := hub.Begin(t.Context(), trace.Record{Endpoint: "authorize"})
			_, err := newObjectReader(clock).ReadAt(ctx, &client, filled.Replace(row.uri))
			recorder.End()
			noted := slices.ContainsFunc(hub.Flows()[0].Records[0].Steps,
				func(s trace.Step) bool { return s.Spec == "Core §6.2" })
			if noted != row.noted {
				t.Errorf("the trace has a step about the fragment: %v; want %v", noted, row.noted)
			}
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
	for _, claims := range []string{`{"exp":1e400}`, `{"aud":[1]}`, `{"aud":null,"scope":{"a":[]}}`, `{"resource":[[]]}`,
		`{"client_id":"app"}{}`} {
		f.Add("eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".")
	}
	reader, client := newObjectReader(clock), objectClient()
	f.Fuzz(func(t *testing.T, compact string) {
		read, err := reader.Read(t.Context(), &client, compact)
		switch {
		case err != nil && oidc.AsError(err).Code != oidc.InvalidRequestObject:
			t.Errorf("%q is the provider's fault: %v", compact, err)
		case err == nil && (!slices.Equal(read.Params["client_id"], []string{"app"}) ||
			read.Params.Has("request") && read.Params.Get("request") != ""):
			t.Errorf("%q gives %v", compact, read.Params)
		case err == nil && read.Signed && strings.HasSuffix(compact, "."):
			t.Errorf("%q counts as signed", compact)
		}
	})
}

// hash is the fragment that Core §6.2 recommends for a request_uri.
func hash(content []byte) string {
	sum := sha256.Sum256(content)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
