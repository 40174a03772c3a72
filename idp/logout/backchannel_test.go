package logout_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/fetch"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/logout"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// app is the server of a client: it stores requests and answers with the next of its statuses, the last one repeatedly.
type app struct {
	mutex    sync.Mutex
	statuses []int
	requests []*http.Request
	block    chan struct{} // nil: it answers at once
	location string
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	a.mutex.Lock()
	a.requests = append(a.requests, r)
	status := a.statuses[0]
	if len(a.statuses) > 1 {
		a.statuses = a.statuses[1:]
	}
	a.mutex.Unlock()
	if a.block != nil {
		<-a.block
	}
	if a.location != "" {
		w.Header().Set("Location", a.location)
	}
	w.WriteHeader(status)
}

func (a *app) got() []*http.Request {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return slices.Clone(a.requests)
}

// sender is a logout.Sender and its reports.
type sender struct {
	*logout.Sender
	mutex   sync.Mutex
	reports []logout.Sent
	over    chan struct{} // receives a value after the last attempt of each delivery
}

// LogoutSent implements logout.Observer.
func (o *sender) LogoutSent(sent logout.Sent) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.reports = append(o.reports, sent)
	if !sent.Again {
		o.over <- struct{}{}
	}
}

// newSender signs by ES256 only, whose keys are made quickly.
func newSender(t *testing.T, list []oidc.Client, change func(*logout.SenderConfig)) *sender {
	t.Helper()
	allow := true
	out, err := fetch.New(fetch.Config{AllowPrivate: &allow})
	if err != nil {
		t.Fatal(err)
	}
	signing, err := keys.New([]keys.Spec{{Alg: "ES256"}}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	o := &sender{over: make(chan struct{}, 2000)}
	jti := 0
	config := logout.SenderConfig{
		Clients: clients.New(list), Subjects: clients.NewSubjects("salt", nil), ClientKeys: clients.NewKeys(nil, now),
		Keys: signing, DefaultAlg: "RS256", Fetch: out, Log: slog.New(slog.DiscardHandler), Observer: o,
		Pauses: []time.Duration{time.Millisecond, time.Millisecond}, Now: now,
		Random: func() string { o.mutex.Lock(); defer o.mutex.Unlock(); jti++; return fmt.Sprint("jti ", jti) },
	}
	if change != nil {
		change(&config)
	}
	o.Sender = logout.NewSender(config)
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		o.Close(ctx)
	})
	return o
}

// reported waits for the end of n deliveries and returns the reports of all attempts so far.
func (o *sender) reported(t *testing.T, n int) []logout.Sent {
	t.Helper()
	for range n {
		select {
		case <-o.over:
		case <-time.After(10 * time.Second):
			t.Fatal("the deliveries do not end")
		}
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return slices.Clone(o.reports)
}

func now() time.Time { return time.Unix(1_800_000_000, 0) }

func ended(clientIDs ...string) []session.Ended {
	return []session.Ended{{Account: session.Account{Sub: "alice", SID: "s.1", Clients: clientIDs},
		Issuer: "https://idp.test"}}
}

// serve starts the app and returns its client.
func serve(t *testing.T, id string, a *app) oidc.Client {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return oidc.Client{ClientID: id, BackchannelLogoutURI: server.URL + "/out?tenant=7", IDTokenSignedResponseAlg: "ES256"}
}

// decoded is part i of a compact JWT.
func decoded(t *testing.T, compact string, i int) (object map[string]any) {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(compact, ".")[i])
	if err == nil {
		err = json.Unmarshal(text, &object)
	}
	if err != nil {
		t.Fatal(err)
	}
	return object
}

func TestALogoutTokenAndItsRequest(t *testing.T) {
	a := &app{statuses: []int{200}}
	shop := serve(t, "shop", a)
	shop.SubjectType, shop.RedirectURIs = oidc.SubjectPairwise, []string{"https://shop.test/cb"}
	o := newSender(t, []oidc.Client{shop, {ClientID: "quiet"}}, nil)
	o.Send(t.Context(), "https://idp.test", ended("shop", "quiet", "gone"))
	reports := o.reported(t, 1)
	if len(reports) != 1 || reports[0].Err != nil || reports[0].Client.ClientID != "shop" || reports[0].SID != "s.1" {
		t.Fatalf("reported %+v; want that shop confirmed", reports)
	}
	r := a.got()[0]
	header, c := decoded(t, r.PostForm.Get("logout_token"), 0), decoded(t, r.PostForm.Get("logout_token"), 1)
	sub, _ := o.Subjects.Of(&shop, "alice")
	events, _ := json.Marshal(c["events"])
	contentType := r.Header.Get("Content-Type")
	for _, row := range []struct {
		name  string
		holds bool
	}{
		{"Back-Channel Logout §2.5 the OP uses an HTTP POST", r.Method == http.MethodPost},
		{
			"Back-Channel Logout §2.5 the body is application/x-www-form-urlencoded",
			contentType == "application/x-www-form-urlencoded",
		},
		{"Back-Channel Logout §2.5 the body has a logout_token", len(r.PostForm) == 1},
		{"Back-Channel Logout §2.2 the request has the registered query", r.URL.String() == "/out?tenant=7"},
		{"Back-Channel Logout §2.4 the logout token is signed by the alg of ID tokens", header["alg"] == "ES256"},
		{"Back-Channel Logout §2.4 typ is logout+jwt", header["typ"] == "logout+jwt"},
		{"Back-Channel Logout §2.4 iss is the issuer", c["iss"] == "https://idp.test"},
		{"Back-Channel Logout §2.4 sub is the pairwise subject of the user", c["sub"] == sub && sub != "alice"},
		{"Back-Channel Logout §2.4 aud is the client", c["aud"] == "shop"},
		{"Back-Channel Logout §2.4 iat is now", c["iat"] == 1_800_000_000.0},
		{"Back-Channel Logout §2.4 exp is at most two minutes later", c["exp"] == 1_800_000_120.0},
		{"Back-Channel Logout §2.4 jti is there", c["jti"] == "jti 1"},
		{
			"Back-Channel Logout §2.4 events has the one member that makes it a logout token",
			string(events) == `{"http://schemas.openid.net/event/backchannel-logout":{}}`,
		},
		{"Back-Channel Logout §2.4 sid is that of the session", c["sid"] == "s.1"},
		{"Back-Channel Logout §2.4 a nonce claim MUST NOT be present, nor any other claim", len(c) == 8},
	} {
		if !row.holds {
			t.Errorf("%s: %s %s %v, %v %v", row.name, r.Method, r.URL, r.PostForm, header, c)
		}
	}
}

// Back-Channel Logout §2.4: "A Logout Token MUST be signed and MAY also be encrypted. The same keys are used to sign
// and encrypt Logout Tokens as are used for ID Tokens." The client would reject a token that is not encrypted (§2.6).
func TestALogoutTokenIsEncryptedLikeIDTokens(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{KeyID: "enc-1", Key: private.Public(), Use: "enc"}}}
	for name, row := range map[string]struct {
		keys  oidc.KeySet
		parts int // of the compact serialization; 0: nothing is sent
	}{
		"Back-Channel Logout §2.4 a Logout Token MUST be signed and MAY also be encrypted": {oidc.KeySet{JSONWebKeySet: set},
			5},
		"Back-Channel Logout §2.6 a token that cannot be encrypted is not sent": {oidc.KeySet{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			a := &app{statuses: []int{200}}
			shop := serve(t, "shop", a)
			shop.IDTokenEncryptedResponseAlg, shop.JWKS = "ECDH-ES", &row.keys
			o := newSender(t, []oidc.Client{shop}, nil)
			o.Send(t.Context(), "https://idp.test", ended("shop"))
			last := o.reported(t, 1)[0]
			parts := 0
			for _, r := range a.got() {
				parts = len(strings.Split(r.PostForm.Get("logout_token"), "."))
			}
			if parts != row.parts || (last.Err == nil) != (row.parts > 0) {
				t.Errorf("sent a token of %d parts, reported %v; want %d", parts, last.Err, row.parts)
			}
		})
	}
}

func TestTheStatusThatConfirmsALogoutToken(t *testing.T) {
	for _, row := range []struct {
		name      string
		statuses  []int
		tries     int
		confirmed bool
	}{
		{"Back-Channel Logout §2.8 200 is success", []int{200}, 1, true},
		{"Back-Channel Logout §2.8 204, which frameworks substitute, is success too", []int{204}, 1, true},
		{"Back-Channel Logout §2.8 400 is failure: it is tried again, with pauses", []int{400, 200}, 2, true},
		{"Back-Channel Logout §2.8 503 for a while", []int{503, 503, 200}, 3, true},
		{"Back-Channel Logout §2.8 and given up in the end", []int{500}, 3, false},
		{"Back-Channel Logout §2.5 a redirect is not followed", []int{307}, 3, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			elsewhere := &app{statuses: []int{200}}
			a := &app{statuses: row.statuses, location: serve(t, "elsewhere", elsewhere).BackchannelLogoutURI}
			o := newSender(t, []oidc.Client{serve(t, "shop", a)}, nil)
			o.Send(t.Context(), "https://idp.test", ended("shop"))
			reports := o.reported(t, 1)
			last := reports[len(reports)-1]
			if len(reports) != row.tries || last.Try != row.tries || (last.Err == nil) != row.confirmed || last.Again {
				t.Errorf("reported %+v; want %d tries and in the end confirmed: %v", reports, row.tries, row.confirmed)
			}
			seen := map[string]bool{}
			for _, r := range a.got() {
				seen[r.PostForm.Get("logout_token")] = true
			}
			if len(seen) != row.tries {
				t.Errorf("%d tries brought %d tokens; want a new one each, or the second looks like a replay", row.tries, len(seen))
			}
			if len(elsewhere.got()) > 0 {
				t.Error("the redirect was followed")
			}
		})
	}
}

func TestASlowClientDelaysNoOther(t *testing.T) { // Back-Channel Logout §2.3: "in parallel"
	slow, quick := &app{statuses: []int{200}, block: make(chan struct{})}, &app{statuses: []int{200}}
	o := newSender(t, []oidc.Client{serve(t, "slow", slow), serve(t, "quick", quick)}, nil)
	round := o.Send(t.Context(), "https://idp.test", ended("slow", "quick"))
	o.reported(t, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	known := round.Wait(ctx)
	if len(known) != 2 || known[0].Err == nil || !known[0].Again || known[1].Err != nil {
		t.Errorf("after a moment %+v is known; want that quick confirmed and slow not yet", known)
	}
	close(slow.block)
	o.reported(t, 1)
	if known := round.Wait(t.Context()); known[0].Err != nil {
		t.Errorf("in the end slow is %+v", known[0])
	}
}

func TestCloseTriesOnceMore(t *testing.T) {
	a := &app{statuses: []int{503, 200}}
	o := newSender(t, []oidc.Client{serve(t, "shop", a)},
		func(c *logout.SenderConfig) { c.Pauses = []time.Duration{time.Hour} })
	o.Send(t.Context(), "https://idp.test", ended("shop")).Wait(t.Context())
	o.Close(t.Context())
	reports := o.reported(t, 1)
	if len(reports) != 2 || reports[1].Err != nil {
		t.Errorf("reported %+v; want a second try when the sender closes", reports)
	}
	if round := o.Send(t.Context(), "https://idp.test", ended("shop")).Wait(t.Context()); len(round) != 1 ||
		round[0].Err == nil || round[0].Again {
		t.Errorf("after Close a client is %+v; want that it gets no token", round)
	}
}

func TestCloseDoesNotWaitForever(t *testing.T) {
	a := &app{statuses: []int{200}, block: make(chan struct{})}
	defer close(a.block)
	o := newSender(t, []oidc.Client{serve(t, "shop", a)}, nil)
	o.Send(t.Context(), "https://idp.test", ended("shop"))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	o.Close(ctx)
	if reports := o.reported(t, 1); reports[0].Err == nil {
		t.Errorf("reported %+v; want that the client was given up", reports)
	}
}

// Back-Channel Logout §2.3: each sign-out reaches the other clients
func TestAFloodOfOneClientDelaysNoOther(t *testing.T) {
	slow, quick := &app{statuses: []int{200}, block: make(chan struct{})}, &app{statuses: []int{200}}
	o := newSender(t, []oidc.Client{serve(t, "slow", slow), serve(t, "quick", quick)}, nil)
	for range 100 { // many more than there are requests at a time
		o.Send(t.Context(), "https://idp.test", ended("slow"))
	}
	o.Send(t.Context(), "https://idp.test", ended("quick"))
	if reports := o.reported(t, 1); reports[0].Client.ClientID != "quick" || reports[0].Err != nil {
		t.Errorf("reported %+v; want that quick confirmed at once", reports)
	}
	if got := len(slow.got()); got > 4 {
		t.Errorf("the slow client has %d requests at a time; want a quarter of all", got)
	}
	close(slow.block)
	o.reported(t, 100)
}

func TestARefusedDeliveryIsReported(t *testing.T) {
	a := &app{statuses: []int{200}, block: make(chan struct{})}
	uri, all := serve(t, "", a).BackchannelLogoutURI, map[string][]session.Ended{}
	var list []oidc.Client
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		list = append(list, oidc.Client{ClientID: id, BackchannelLogoutURI: uri, IDTokenSignedResponseAlg: "ES256"})
		for range 250 {
			all[id] = append(all[id], ended(id)...)
		}
	}
	o := newSender(t, list, nil)
	tooMany := func(ids ...string) {
		t.Helper()
		o.Send(t.Context(), "https://idp.test", ended(ids...))
		reports := o.reported(t, 1)
		if last := reports[len(reports)-1]; last.Err == nil || last.Again {
			t.Errorf("reported %+v; want that the delivery is refused", last)
		}
	}
	o.Send(t.Context(), "https://idp.test", all["a"])
	tooMany("a") // the limit of one client
	for _, id := range []string{"b", "c", "d"} {
		o.Send(t.Context(), "https://idp.test", all[id])
	}
	tooMany("e") // the limit of all clients
	close(a.block)
	o.reported(t, 1000)
	o.Send(t.Context(), "https://idp.test", ended("e"))
	if reports := o.reported(t, 1); reports[len(reports)-1].Err != nil {
		t.Error("the limits still refuse a delivery after all have ended")
	}
}

func TestAClientThatCannotBeLookedUpIsReported(t *testing.T) {
	failed := errors.New("the store is gone")
	o := newSender(t, nil, func(c *logout.SenderConfig) { c.Clients = unreachable{failed} })
	known := o.Send(t.Context(), "https://idp.test", ended("shop")).Wait(t.Context())
	if len(known) != 1 || !errors.Is(known[0].Err, failed) || known[0].Client.ClientID != "shop" {
		t.Errorf("got %+v; want the failure, with the client's name", known)
	}
}

type unreachable struct{ error }

func (u unreachable) ByID(context.Context, string) (*oidc.Client, error) {
	return &oidc.Client{}, u.error
}
