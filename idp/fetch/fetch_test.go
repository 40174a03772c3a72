package fetch_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/fetch"
)

// client is one that may ask this machine, within a time that a test can wait, unless change says otherwise.
func client(t *testing.T, change func(*fetch.Config)) *fetch.Client {
	t.Helper()
	yes := true
	config := fetch.Config{AllowPrivate: &yes, Timeout: 300 * time.Millisecond}
	if change != nil {
		change(&config)
	}
	c, err := fetch.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func onlyPublic(c *fetch.Config) { c.AllowPrivate = nil }

// serve runs a foreign server until the test ends.
func serve(t *testing.T, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return s
}

func inJSON(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{}`))
}

func TestADocumentIsFetched(t *testing.T) {
	for _, media := range []string{"application/json", "application/jwk-set+json; charset=utf-8", "text/plain"} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			inJSON(w, r)
			w.Header().Set("Content-Type", media)
		})
		if body, err := client(t, nil).Get(t.Context(), s.URL+"/keys#part"); err != nil || string(body) != "{}" {
			t.Errorf("%s: got %q, %v", media, body, err)
		}
	}
}

// hostile are servers that misbehave, and the words of the error about each.
var hostile = []struct {
	name   string
	answer http.HandlerFunc
	want   string
}{
	{"redirects to this machine", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1:1/admin", http.StatusFound)
	}, "redirects"},
	{"is slow with its headers", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "too long"},
	{"is slow with its body", func(w http.ResponseWriter, r *http.Request) {
		inJSON(w, r)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}, "too long"},
	{"announces a gigabyte", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1073741824")
		inJSON(w, r)
	}, "more than"},
	{"sends a gigabyte", func(w http.ResponseWriter, r *http.Request) {
		inJSON(w, r)
		for range 1024 {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
	}, "more than"},
	{"sends a gzip bomb", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" {
			panic("compression was asked for")
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(bomb())
	}, "compressed"},
	{"sends a page", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<p>not found"))
	}, "Content-Type"},
	{
		"sends no Content-Type", func(w http.ResponseWriter, _ *http.Request) { w.Header()["Content-Type"] = nil },
		"Content-Type",
	},
	{
		"fails", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"status 500",
	},
	{"sends headers without end", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
		inJSON(w, r)
	}, "does not answer as expected"},
	{"hangs up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "does not answer as expected"},
}

// A hostile server gets nothing but its request.
func TestAHostileServer(t *testing.T) {
	bomb()
	for _, row := range hostile {
		t.Run(row.name, func(t *testing.T) {
			s := serve(t, row.answer)
			_, err := client(t, nil).Get(t.Context(), s.URL)
			if err == nil || !strings.Contains(fetch.Why(err), row.want) {
				t.Errorf("got %v; want an error with %q", err, row.want)
			}
		})
	}
}

// bomb is made before it is asked for: that takes longer than the client waits.
var bomb = sync.OnceValue(func() []byte { return gzipped(8 << 20) })

func gzipped(size int) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(make([]byte, size))
	_ = w.Close()
	return b.Bytes()
}

// No fetch reaches an address that is not public, however it is written.
func TestNoFetchReachesAnAddressThatIsNotPublic(t *testing.T) {
	asked := false
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = true
		inJSON(w, r)
	}))
	t.Cleanup(s.Close)
	port := s.Listener.Addr().String()[strings.LastIndex(s.Listener.Addr().String(), ":"):]
	for _, host := range []string{
		"127.0.0.1", "localhost", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "10.0.0.1", "172.16.3.4",
		"192.168.1.1",
		"169.254.169.254", "[fe80::1]", "[fd00::1]", "224.0.0.1", "[ff02::1]", "100.64.0.1", "255.255.255.255",
		"[64:ff9b::7f00:1]", "[2002:7f00:1::]",
	} {
		_, err := client(t, onlyPublic).Get(t.Context(), "https://"+host+port+"/")
		if err == nil || !strings.Contains(fetch.Why(err), "public address") {
			t.Errorf("%s: got %v", host, err)
		}
	}
	if asked {
		t.Error("the server on this machine was asked")
	}
}

func TestWhatIsNoAddressForAFetch(t *testing.T) {
	for address, want := range map[string]string{
		"http://app.example.com/keys": "not https", "file:///etc/passwd": "not https", "gopher://x": "not https",
		"https:///keys":                          "no host",
		"https://user:word@app.example.com/keys": "user name", "https://%zz": "no URL", "": "not https",
	} {
		_, err := client(t, onlyPublic).Get(t.Context(), address)
		if err == nil || !strings.Contains(fetch.Why(err), want) || strings.Contains(err.Error(), "word@") {
			t.Errorf("%q: got %v; want %q", address, err, want)
		}
	}
}

// The developer of a client learns nothing of the network behind the provider.
func TestWhyTellsNothingOfTheNetwork(t *testing.T) {
	s := serve(t, inJSON)
	s.Close()
	_, err := client(t, nil).Get(t.Context(), s.URL)
	if err == nil || strings.Contains(fetch.Why(err), "refused") || !strings.Contains(err.Error(), "refused") {
		t.Errorf("the log hears %v, the client %q", err, fetch.Why(err))
	}
	if why := fetch.Why(errors.New("dial tcp 10.0.0.1")); strings.Contains(why, "10.0.0.1") {
		t.Error(why)
	}
}

func TestACAFileIsTrusted(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(inJSON))
	t.Cleanup(s.Close)
	if _, err := client(t, nil).Get(t.Context(), s.URL); err == nil {
		t.Error("a certificate of nobody was trusted")
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := client(t, func(c *fetch.Config) { c.CAFile = file }).Get(t.Context(), s.URL); err != nil {
		t.Error(err)
	}
}

func TestAFormIsPosted(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.PostFormValue("logout_token") != "a.b.c" {
			t.Errorf("%s %v", r.Method, r.PostForm)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	if status, err := client(t, nil).Post(
		t.Context(), s.URL, url.Values{"logout_token": {"a.b.c"}},
	); err != nil || status != http.StatusNoContent {
		t.Errorf("got %d, %v", status, err)
	}
}

// A hundred slow servers hold no more than the places there are, and each place comes free again.
func TestTheNumberOfRequestsAtOnceIsLimited(t *testing.T) {
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c := client(t, func(c *fetch.Config) { c.Timeout = 200 * time.Millisecond })
	ended := make(chan error, 40)
	for range 40 {
		go func() {
			_, err := c.Get(t.Context(), s.URL)
			ended <- err
		}()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Get(ctx, s.URL); err == nil {
		t.Error("the request that was given up succeeded")
	}
	for range 40 {
		if err := <-ended; err == nil {
			t.Error("a slow server answered")
		}
	}
}

// CWE-770: the slow server of one client stops neither the documents of others nor the logout tokens.
func TestASlowServerDoesNotStopTheOthers(t *testing.T) {
	c := client(t, func(c *fetch.Config) { c.Timeout = 10 * time.Second })
	var asked atomic.Int32
	slow := serve(t, func(_ http.ResponseWriter, r *http.Request) { asked.Add(1); <-r.Context().Done() })
	good := serve(t, inJSON)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() { _, _ = c.Get(ctx, slow.URL) })
	}
	for asked.Load() < 4 {
		time.Sleep(time.Millisecond)
	}
	if _, err := c.Get(t.Context(), good.URL); err != nil {
		t.Errorf("another server is not asked: %v", err)
	}
	if _, err := c.Post(t.Context(), good.URL, url.Values{"logout_token": {"x"}}); err != nil {
		t.Errorf("no logout token is sent: %v", err)
	}
	if n := asked.Load(); n != 4 {
		t.Errorf("the slow server has %d requests at once; want 4", n)
	}
	short, end := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer end()
	if _, err := c.Get(short, slow.URL); err == nil || !strings.Contains(err.Error(), "it was not asked") {
		t.Errorf("a request that was never sent has the error %v", err)
	}
	cancel()
	all.Wait()
}

func TestProblemsOfTheConfiguration(t *testing.T) {
	var paths []string
	fetch.Config{Timeout: time.Hour, CAFile: "/nowhere"}.Check(func(path, _ string) { paths = append(paths, path) })
	if strings.Join(paths, " ") != "timeout ca_file" {
		t.Errorf("got %v", paths)
	}
	if c := (fetch.Config{}).WithDefaults(false); *c.AllowPrivate || c.Timeout != 5*time.Second {
		t.Errorf("got %+v", c)
	}
}
