package authorize

import (
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// pushedRow is a known-good request of a client that pushes it, one change, and the answer that the specification
// demands: err of the push, else page or refused of what follows at /authorize, else a code.
type pushedRow struct {
	name   string
	client string // pushing (default), fapi
	change string // of the pushed parameters, as in row
	header string // a DPoP header
	front  string // of what goes through the browser, as in row
	late   time.Duration

	err     oidc.ErrorCode
	page    oidc.ErrorCode
	refused oidc.ErrorCode
}

var pushed = []pushedRow{
	{name: "RFC 9126 §4 a pushed request is answered with a code"},
	{name: "RFC 9126 §4 the client need not push, and may", client: "spa"},
	{name: "FAPI 2.0 §5.3.2.2 a pushed request with S256", client: "fapi"},
	{
		name: "RFC 9126 §2.1 a request_uri is not pushed", change: "request_uri=https://app.test/%3Fa%3Db",
		err: oidc.InvalidRequest,
	},
	{name: "RFC 9126 §2.1 the client authenticates", change: "client_secret=wrong", err: oidc.InvalidClient},
	{
		name:   "RFC 9126 §2.1 an unregistered redirect_uri is refused at once",
		change: "redirect_uri=https://evil.test/", err: oidc.InvalidRequest,
	},
	{
		name: "RFC 9126 §2.3 a request that /authorize would refuse is refused at once", change: "response_type=token",
		err: oidc.UnsupportedResponseType,
	},
	{name: "RFC 9126 §2.3 so is one without openid", change: "scope=profile", err: oidc.InvalidScope},
	{name: "RFC 6749 §3.2 a repeated parameter is refused", change: "+scope=openid", err: oidc.InvalidRequest},
	{name: "RFC 9126 §3 a request object may be pushed", change: "request=" + objectWith(""), client: "pushing"},
	{
		name:   "RFC 9126 §3 of a pushed request object only what is inside counts",
		change: "-redirect_uri max_age=soon request=" + objectWith(""),
	},
	{
		name:   "RFC 9126 §3 a redirect_uri beside a pushed request object does not",
		change: "request=" + objectOf(url.Values{"response_type": {"code"}, "scope": {"openid"}}),
		err:    oidc.InvalidRequest,
	},
	{name: "RFC 9126 §3 a pushed request object that is not good", change: "request=bad", err: oidc.InvalidRequestObject},
	{
		name: "RFC 9101 §10.5 a client that must sign may push what it signed", client: "signing",
		change: "request=" + objectWith("signed=1"),
	},
	{
		name: "RFC 9101 §10.5 a client that must sign pushes no bare parameters", client: "signing",
		err: oidc.InvalidRequest,
	},
	{
		name: "FAPI 2.0 §5.3.2.2 PKCE is demanded", client: "fapi", change: "-code_challenge -code_challenge_method",
		err: oidc.InvalidRequest,
	},
	{
		name: "FAPI 2.0 §5.3.2.2 PKCE is S256", client: "fapi", change: "code_challenge_method=plain",
		err: oidc.InvalidRequest,
	},
	{
		name: "FAPI 2.0 §5.3.2.2 redirect_uri is demanded", client: "fapi", change: "-redirect_uri",
		err: oidc.InvalidRequest,
	},
	{
		name: "FAPI 2.0 §5.3.2.2 an http redirect_uri is refused", client: "fapi",
		change: "redirect_uri=http://intranet.test/cb", err: oidc.InvalidRequest,
	},
	{
		name: "FAPI 2.0 §5.3.2.2 the loopback address of a native app may be http", client: "fapi",
		change: "redirect_uri=http://localhost:9090/cb",
	},

	{
		name: "FAPI 2.0 §5.3.2.2 response_type is code", client: "fapi", change: "response_type=token",
		err: oidc.UnsupportedResponseType,
	},
	{
		name: "FAPI 2.0 §5.3.2.1 no open redirector: what is pushed goes to a registered address", client: "fapi",
		change: "redirect_uri=https://evil.test/", err: oidc.InvalidRequest,
	},
	{
		name: "FAPI 2.0 §5.3.2.2 what is beside request_uri does not count", client: "fapi",
		front: "redirect_uri=https://evil.test/ code_challenge=" + strings.Repeat("b", 43),
	},
	{name: "RFC 9126 §2.1 a request_uri without a value counts as omitted", change: "request_uri="},
	{
		name: "RFC 9126 §2.1 what is pushed is validated like any request: PKCE", client: "spa",
		change: "-code_challenge -code_challenge_method", err: oidc.InvalidRequest,
	},
	{
		name:   "RFC 9126 §2.1 what is pushed is validated like any request: resource",
		change: "resource=https://evil.test", err: oidc.InvalidTarget,
	},
	{
		name:  "RFC 9126 §2.2 a request_uri with another ending is another",
		front: "request_uri=urn:ietf:params:oauth:request_uri:guess", page: oidc.InvalidRequestURI,
	},
	{name: "RFC 9126 §4 request_uri needs the client_id beside it", front: "client_id=", page: oidc.InvalidRequest},
	{
		name: "RFC 9126 §4 request_uri does not come with a request", front: "request=" + objectWith(""),
		page: oidc.InvalidRequest,
	},

	{name: "RFC 9449 §10.1 a proof beside the request binds the code", header: "proof"},
	{name: "RFC 9449 §10.1 a proof and the same dpop_jkt", header: "proof", change: "dpop_jkt=" + jktES()},
	{
		name: "RFC 9449 §10.1 a proof and another dpop_jkt", header: "proof",
		change: "dpop_jkt=" + strings.Repeat("x", 43), err: oidc.InvalidDPoPProof,
	},
	{name: "RFC 9449 §10.1 a bad proof", header: "bad", err: oidc.InvalidDPoPProof},

	{name: "RFC 9126 §4 another client's request_uri gives nothing", front: "client_id=spa", page: oidc.InvalidRequestURI},
	{
		name:  "RFC 9126 §4 the parameters beside request_uri do not count",
		front: "scope=nothing redirect_uri=https://evil.test/ state=other response_type=token",
	},
	{name: "RFC 9126 §2.2 a request_uri expires", late: 61 * time.Second, page: oidc.InvalidRequestURI},
	{
		name: "RFC 9126 §2.2 where the redirect_uri is there too, the client is told", late: 61 * time.Second,
		front: "redirect_uri=https://app.test/cb", refused: oidc.InvalidRequestURI,
	},
}

func (row pushedRow) check(t *testing.T) {
	e := newEndpoint(t)
	client := row.client
	if client == "" {
		client = "pushing"
	}
	params := changed(client, row.change).params(t)
	header := row.header
	if header == "proof" {
		header = proofOf(t, e.clock.Now())
	}
	response, err := e.Push(pushRequest(params, header))
	if row.err != "" {
		if err == nil || oidc.AsError(err).Code != row.err {
			t.Fatalf("the push gave %+v, %v; want %s", response, err, row.err)
		}
		return
	}
	if err != nil || response.ExpiresIn != 60 || response.RequestURI == "" {
		t.Fatalf("the push gave %+v, %v", response, err)
	}
	row.follow(t, e, params, front(client, response.RequestURI))
}

// follow takes the request_uri through the browser.
func (row pushedRow) follow(t *testing.T, e *testEndpoint, params, through url.Values) {
	t.Helper()
	for change := range strings.FieldsSeq(row.front) {
		name, value, _ := strings.Cut(change, "=")
		through.Set(name, value)
	}
	r := e.request(t, through, "alice")
	e.clock.Pass(row.late)
	outcome, err := e.Authorize(r)
	switch {
	case row.page != "":
		if err == nil || oidc.AsError(err).Code != row.page {
			t.Errorf("got %+v, %v; want a page with %s", outcome, err, row.page)
		}
	case row.refused != "":
		if err != nil || oidc.AsError(outcome.Refused).Code != row.refused {
			t.Errorf("got %+v, %v; want %s for the client", outcome, err, row.refused)
		}
	case err != nil:
		t.Errorf("got a page with %v; want a code", err)
	default:
		if params.Get("redirect_uri") == "" {
			params.Set("redirect_uri", "https://app.test/cb")
		}
		checkAnswer(t, e, outcome, params, "")
	}
}

// Push is that of the endpoint, for a client of profile fapi2 as if it had authenticated with its key.
func (e *testEndpoint) Push(r *http.Request) (PushResponse, error) {
	if r.PostFormValue("client_id") != "fapi" {
		return e.Endpoint.Push(r)
	}
	client, err := e.Clients.ByID(r.Context(), "fapi")
	if err != nil {
		return PushResponse{}, err
	}
	return e.pushOf(r, client, r.PostForm)
}

// changed is a good request with a change.
func changed(client, change string) row { return row{client: client, change: change} }

func front(client, requestURI string) url.Values {
	return url.Values{"client_id": {client}, "request_uri": {requestURI}}
}

func pushRequest(params url.Values, proof string) *http.Request {
	if client := params.Get("client_id"); !params.Has("client_secret") && client != "spa" {
		params = maps.Clone(params)
		params.Set("client_secret", "s")
	}
	r := httptest.NewRequest(http.MethodPost, "/par", strings.NewReader(params.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if proof != "" {
		r.Header.Set("DPoP", proof)
	}
	return r
}

// jktES is the thumbprint of the key of proofOf.
func jktES() string {
	sum, err := (&jose.JSONWebKey{Key: keyES.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

// proofOf is a DPoP proof for the push endpoint.
func proofOf(t *testing.T, now time.Time) string {
	t.Helper()
	options := (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: keyES}, options)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(fmt.Appendf(nil, `{"jti":%q,"htm":"POST","htu":%q,"iat":%d}`, rand.Text(),
		testIssuer+PathPush, now.Unix()))
	if err != nil {
		t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func push(t *testing.T, e *testEndpoint, client, change string) url.Values {
	t.Helper()
	response, err := e.Push(pushRequest(changed(client, change).params(t), ""))
	if err != nil {
		t.Fatal(err)
	}
	return front(client, response.RequestURI)
}

func TestARequestURIGivesOneCode(t *testing.T) { // RFC 9126 §4
	e := newEndpoint(t)
	through := push(t, e, "pushing", "")
	for i, want := range []oidc.ErrorCode{"", oidc.InvalidRequestURI} {
		outcome, err := e.Authorize(e.request(t, through, "alice"))
		if want == "" && (err != nil || outcome.Redirect == "") ||
			want != "" && (err == nil || oidc.AsError(err).Code != want) {
			t.Errorf("use %d gave %+v, %v", i+1, outcome, err)
		}
	}
}

func TestAPageMayBeReloadedBeforeThereIsACode(t *testing.T) { // FAPI 2.0 §5.3.2.2
	e := newEndpoint(t)
	through := push(t, e, "pushing", "")
	for range 3 {
		if outcome, err := e.Authorize(e.request(t, through, "")); err != nil ||
			!strings.HasPrefix(outcome.Screen, session.PathLogin) {
			t.Fatalf("got %+v, %v; want the sign-in page", outcome, err)
		}
	}
}

// However long the person takes, and however often the browser comes back: one code (RFC 9126 §4).
func TestAPushedRequestThatWaitedForAPersonGivesOneCode(t *testing.T) {
	e := newEndpoint(t)
	outcome, err := e.Authorize(e.request(t, push(t, e, "pushing", ""), ""))
	if err != nil {
		t.Fatal(err)
	}
	e.clock.Pass(time.Hour)
	sealed, err := url.Parse(outcome.Screen)
	if err != nil {
		t.Fatal(err)
	}
	back := url.Values{session.InteractionParam: {sealed.Query().Get(session.InteractionParam)}}
	first, err := e.Authorize(e.request(t, back, "alice"))
	if err != nil || first.Refused != nil || first.Redirect == "" {
		t.Fatalf("got %+v, %v; want a code", first, err)
	}
	second, err := e.Authorize(e.request(t, back, "alice"))
	if err != nil || oidc.AsError(second.Refused) == nil || oidc.AsError(second.Refused).Code != oidc.InvalidRequestURI {
		t.Errorf("the second time got %+v, %v; want invalid_request_uri", second, err)
	}
}

func TestAStoreThatFailsKeepsThePush(t *testing.T) {
	e := newEndpoint(t)
	e.store.Gone(true)
	_, err := e.Push(pushRequest(goodParams("pushing"), ""))
	if err == nil || errors.As(err, new(*oidc.Error)) {
		t.Errorf("got %v; want the engine's error", err)
	}
}
