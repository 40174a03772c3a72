package backchannel_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/backchannel"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/fetch"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// app is the server of a client: it keeps what it is sent and answers with the next of its statuses, the last again and again.
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

// office is a sender, and what it reports.
type office struct {
	*backchannel.Sender
	mutex    sync.Mutex
	tellings []backchannel.Telling
	over     chan struct{} // gets a value when a client was told, or given up
}

// signed is what the test's Sign makes, in the place of a JWT.
type signed struct {
	Alg, Typ string
	Claims   map[string]any
}

func newOffice(t *testing.T, list []oidc.Client, change func(*backchannel.Config)) *office {
	t.Helper()
	allow := true
	out, err := fetch.New(fetch.Config{AllowPrivate: &allow})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{over: make(chan struct{}, 2000)}
	jti := 0
	config := backchannel.Config{
		Clients: clients.New(list),
		Subject: func(_ context.Context, client oidc.Client, sub string) (string, error) {
			return sub + "@" + client.ClientID, nil
		},
		Sign: func(alg, typ string, claims any) (string, error) {
			text, err := json.Marshal(map[string]any{"alg": alg, "typ": typ, "claims": claims})
			return string(text), err
		},
		Encrypt: func(_ context.Context, _ oidc.Client, signed string) (string, error) { return signed, nil },
		Post:    out.Post, Pauses: []time.Duration{time.Millisecond, time.Millisecond},
		Now:    func() time.Time { return time.Unix(1_800_000_000, 0) },
		Random: func() string { o.mutex.Lock(); defer o.mutex.Unlock(); jti++; return fmt.Sprint("jti ", jti) },
		Report: func(telling backchannel.Telling) {
			o.mutex.Lock()
			defer o.mutex.Unlock()
			o.tellings = append(o.tellings, telling)
			if !telling.Again {
				o.over <- struct{}{}
			}
		},
	}
	if change != nil {
		change(&config)
	}
	o.Sender = backchannel.New(config)
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		o.Close(ctx)
	})
	return o
}

// reported is what was reported when n clients were told, or given up.
func (o *office) reported(t *testing.T, n int) []backchannel.Telling {
	t.Helper()
	for range n {
		select {
		case <-o.over:
		case <-time.After(10 * time.Second):
			t.Fatal("the sender does not come to an end")
		}
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return slices.Clone(o.tellings)
}

func ended(clientIDs ...string) []session.Ended {
	return []session.Ended{{Account: session.Account{Sub: "alice", SID: "s.1", Clients: clientIDs}, Issuer: "https://idp.test"}}
}

// serve starts the app and returns the client that it is the server of.
func serve(t *testing.T, id string, a *app) oidc.Client {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return oidc.Client{ClientID: id, BackchannelLogoutURI: server.URL + "/out?tenant=7", IDTokenSignedResponseAlg: "PS256"}
}

func TestWhatAClientIsSent(t *testing.T) {
	a := &app{statuses: []int{200}}
	o := newOffice(t, []oidc.Client{serve(t, "shop", a), {ClientID: "quiet"}}, nil)
	o.Tell(t.Context(), ended("shop", "quiet", "gone"))
	if tellings := o.reported(t, 1); len(tellings) != 1 || tellings[0].Err != nil || tellings[0].Client.ClientID != "shop" || tellings[0].SID != "s.1" {
		t.Fatalf("reported %+v; want that shop was told", tellings)
	}
	r := a.got()[0]
	var token signed
	if err := json.Unmarshal([]byte(r.PostForm.Get("logout_token")), &token); err != nil {
		t.Fatal(err)
	}
	c := token.Claims
	events, _ := json.Marshal(c["events"])
	for row, holds := range map[string]bool{
		"Back-Channel Logout §2.5 the OP uses an HTTP POST":                                             r.Method == http.MethodPost,
		"Back-Channel Logout §2.5 the body is application/x-www-form-urlencoded":                        r.Header.Get("Content-Type") == "application/x-www-form-urlencoded",
		"Back-Channel Logout §2.5 the body has a logout_token":                                          len(r.PostForm) == 1,
		"Back-Channel Logout §2.2 a registered query is kept":                                           r.URL.String() == "/out?tenant=7",
		"Back-Channel Logout §2.4 the logout token is signed by the alg of ID tokens":                   token.Alg == "PS256",
		"Back-Channel Logout §2.4 typ is logout+jwt":                                                    token.Typ == "logout+jwt",
		"Back-Channel Logout §2.4 iss is the issuer":                                                    c["iss"] == "https://idp.test",
		"Back-Channel Logout §2.4 sub is what the client calls the user":                                c["sub"] == "alice@shop",
		"Back-Channel Logout §2.4 aud is the client":                                                    c["aud"] == "shop",
		"Back-Channel Logout §2.4 iat is now":                                                           c["iat"] == 1_800_000_000.0,
		"Back-Channel Logout §2.4 exp is at most two minutes later":                                     c["exp"] == 1_800_000_120.0,
		"Back-Channel Logout §2.4 jti is there":                                                         c["jti"] == "jti 1",
		"Back-Channel Logout §2.4 events has the one member that makes it a logout token":               string(events) == `{"http://schemas.openid.net/event/backchannel-logout":{}}`,
		"Back-Channel Logout §2.4 sid is that of the session":                                           c["sid"] == "s.1",
		"Back-Channel Logout §2.4 a nonce claim MUST NOT be present, nor anything else that is not due": len(c) == 8,
	} {
		if !holds {
			t.Errorf("%s: %s %s %v, %+v", row, r.Method, r.URL, r.PostForm, token)
		}
	}
}

func TestALogoutTokenIsEncryptedWhereIDTokensAre(t *testing.T) {
	for name, row := range map[string]struct {
		err  error
		want string
	}{
		"Back-Channel Logout §2.4 a Logout Token MUST be signed and MAY also be encrypted, by the keys of ID tokens": {nil, "encrypted"},
		"Back-Channel Logout §2.6 what cannot be encrypted is not sent, as the client would reject it":               {errors.New("no key"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := &app{statuses: []int{200}}
			o := newOffice(t, []oidc.Client{serve(t, "shop", a)}, func(c *backchannel.Config) {
				c.Encrypt = func(context.Context, oidc.Client, string) (string, error) { return "encrypted", row.err }
			})
			o.Tell(t.Context(), ended("shop"))
			tellings := o.reported(t, 1)
			sent := ""
			for _, r := range a.got() {
				sent = r.PostForm.Get("logout_token")
			}
			if last := tellings[len(tellings)-1]; !errors.Is(last.Err, row.err) || sent != row.want {
				t.Errorf("sent %q, reported %v; want %q, %v", sent, last.Err, row.want, row.err)
			}
		})
	}
}

func TestWhichAnswersAreTakenForYes(t *testing.T) {
	for _, row := range []struct {
		name     string
		statuses []int
		tries    int
		told     bool
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
			o := newOffice(t, []oidc.Client{serve(t, "shop", a)}, nil)
			o.Tell(t.Context(), ended("shop"))
			tellings := o.reported(t, 1)
			last := tellings[len(tellings)-1]
			if len(tellings) != row.tries || last.Try != row.tries || (last.Err == nil) != row.told || last.Again {
				t.Errorf("reported %+v; want %d tries and in the end told: %v", tellings, row.tries, row.told)
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

func TestOneSlowClientDelaysNoOther(t *testing.T) { // Back-Channel Logout §2.3: "in parallel"
	slow, quick := &app{statuses: []int{200}, block: make(chan struct{})}, &app{statuses: []int{200}}
	o := newOffice(t, []oidc.Client{serve(t, "slow", slow), serve(t, "quick", quick)}, nil)
	round := o.Tell(t.Context(), ended("slow", "quick"))
	o.reported(t, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	known := round.Wait(ctx)
	if len(known) != 2 || known[0].Err == nil || !known[0].Again || known[1].Err != nil {
		t.Errorf("after a moment %+v is known; want that quick was told and slow not yet", known)
	}
	close(slow.block)
	o.reported(t, 1)
	if known := round.Wait(t.Context()); known[0].Err != nil {
		t.Errorf("in the end slow is %+v", known[0])
	}
}

func TestCloseTriesOnceMore(t *testing.T) {
	a := &app{statuses: []int{503, 200}}
	o := newOffice(t, []oidc.Client{serve(t, "shop", a)}, func(c *backchannel.Config) { c.Pauses = []time.Duration{time.Hour} })
	o.Tell(t.Context(), ended("shop")).Wait(t.Context())
	o.Close(t.Context())
	tellings := o.reported(t, 1)
	if len(tellings) != 2 || tellings[1].Err != nil {
		t.Errorf("reported %+v; want a second try when the sender closes", tellings)
	}
	if round := o.Tell(t.Context(), ended("shop")).Wait(t.Context()); len(round) != 1 || round[0].Err == nil || round[0].Again {
		t.Errorf("after Close a client is %+v; want that it is not told", round)
	}
}

func TestCloseDoesNotWaitForever(t *testing.T) {
	a := &app{statuses: []int{200}, block: make(chan struct{})}
	defer close(a.block)
	o := newOffice(t, []oidc.Client{serve(t, "shop", a)}, nil)
	o.Tell(t.Context(), ended("shop"))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	o.Close(ctx)
	if tellings := o.reported(t, 1); tellings[0].Err == nil {
		t.Errorf("reported %+v; want that the client was given up", tellings)
	}
}

func TestAFloodOfOneClientDelaysNoOther(t *testing.T) { // Back-Channel Logout §2.3: each sign-out reaches the other clients
	slow, quick := &app{statuses: []int{200}, block: make(chan struct{})}, &app{statuses: []int{200}}
	o := newOffice(t, []oidc.Client{serve(t, "slow", slow), serve(t, "quick", quick)}, nil)
	for range 100 { // many more than there are requests at a time
		o.Tell(t.Context(), ended("slow"))
	}
	o.Tell(t.Context(), ended("quick"))
	if tellings := o.reported(t, 1); tellings[0].Client.ClientID != "quick" || tellings[0].Err != nil {
		t.Errorf("reported %+v; want that quick was told at once", tellings)
	}
	if got := len(slow.got()); got > 4 {
		t.Errorf("the slow client has %d requests at a time; want a quarter of all", got)
	}
	close(slow.block)
	o.reported(t, 100)
}

func TestWhoeverIsTooMuchIsReported(t *testing.T) {
	stuck, all := make(chan struct{}), map[string][]session.Ended{}
	var list []oidc.Client
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		list = append(list, oidc.Client{ClientID: id, BackchannelLogoutURI: "https://shop.test/out"})
		for range 250 {
			all[id] = append(all[id], ended(id)...)
		}
	}
	o := newOffice(t, list, func(c *backchannel.Config) {
		c.Post = func(ctx context.Context, _ string, _ url.Values) (int, error) {
			select {
			case <-stuck:
			case <-ctx.Done():
			}
			return 200, nil
		}
	})
	tooMany := func(ids ...string) {
		t.Helper()
		o.Tell(t.Context(), ended(ids...))
		tellings := o.reported(t, 1)
		if last := tellings[len(tellings)-1]; last.Err == nil || last.Again {
			t.Errorf("reported %+v; want that one too many is not told", last)
		}
	}
	o.Tell(t.Context(), all["a"])
	tooMany("a") // its share is used up
	for _, id := range []string{"b", "c", "d"} {
		o.Tell(t.Context(), all[id])
	}
	tooMany("e") // there is no room for anybody
	close(stuck)
	o.reported(t, 1000)
	o.Tell(t.Context(), ended("e"))
	if tellings := o.reported(t, 1); tellings[len(tellings)-1].Err != nil {
		t.Error("the room is not free again")
	}
}

func TestAClientThatCannotBeLookedUpIsReported(t *testing.T) {
	failed := errors.New("the store is gone")
	o := newOffice(t, nil, func(c *backchannel.Config) { c.Clients = unreachable{failed} })
	known := o.Tell(t.Context(), ended("shop")).Wait(t.Context())
	if len(known) != 1 || !errors.Is(known[0].Err, failed) || known[0].Client.ClientID != "shop" {
		t.Errorf("got %+v; want the failure, with the client's name", known)
	}
}

type unreachable struct{ error }

func (u unreachable) ByID(context.Context, string) (oidc.Client, error) {
	return oidc.Client{}, u.error
}
