package pages_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/pages"
)

// policyRows are policies and the directives that depend on them. "" is no directive at all.
var policyRows = []struct {
	name       string
	policy     pages.Policy
	formAction string
	ancestors  string
}{
	{"CSP3 §6.4.1 forms that stay at the provider, on a page that no page may frame", pages.Policy{}, "'self'", "'none'"},
	{"CSP3 §6.4.1 form-action may apply to the redirects of an application", pages.Policy{FormsLeave: true}, "",
		"'none'"},
	{"CSP3 §6.4.2 the client may frame", pages.Policy{FramedBy: "https://app.test/cb"}, "'self'", "https://app.test"},
	{"CSP3 §6.4.2 with its port", pages.Policy{FramedBy: "http://localhost:9090/cb"}, "'self'",
		"http://localhost:9090"},
	{"CSP3 §6.4.2 with its address", pages.Policy{FramedBy: "http://127.0.0.1:9090/cb"}, "'self'",
		"http://127.0.0.1:9090"},
	{"CSP3 §6.4.2 without the default port", pages.Policy{FramedBy: "https://App.test:443/cb"}, "'self'",
		"https://app.test"},
	{"CSP3 §6.4.2 without a user name", pages.Policy{FramedBy: "https://me:pw@app.test/cb"}, "'self'", "https://app.test"},
	{"CSP3 §2.3.1 a host-source has no brackets, so an IPv6 address is allowed by its scheme (RFC 8252 §7.3)",
		pages.Policy{FramedBy: "http://[::1]:9090/cb"}, "'self'", "http:"},
	{"CSP3 §6.4.2 the client may frame the page whose form leads to it",
		pages.Policy{FormsLeave: true, FramedBy: "https://app.test/cb"}, "", "https://app.test"},
	{"CSP3 §6.4.2 what is no URI does not frame", pages.Policy{FramedBy: "://"}, "'self'", "'none'"},
}

func TestContentSecurityPolicy(t *testing.T) {
	for _, row := range policyRows {
		t.Run(row.name, func(t *testing.T) {
			want := map[string]string{
				"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self' data: https:",
				"base-uri": "'none'", "frame-ancestors": row.ancestors,
			}
			if row.formAction != "" {
				want["form-action"] = row.formAction
			}
			header := render(t, row.policy)
			if diff := cmp.Diff(want, directives(t, header)); diff != "" {
				t.Errorf("Content-Security-Policy (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAPageWhoseScriptsAskTheProvider(t *testing.T) {
	for connects, want := range map[bool]bool{true: true, false: false} {
		policy := render(t, pages.Policy{Connects: connects}).Get("Content-Security-Policy")
		if got := strings.Contains(policy, "connect-src 'self'"); got != want {
			t.Errorf("CSP3 §6.1.2 with Connects %t the policy is %s", connects, policy)
		}
	}
}

func TestAPageThatFramesPagesOfTheProvider(t *testing.T) {
	got := directives(t, render(t, pages.Policy{FramesOwn: true}))
	if got["frame-src"] != "'self'" {
		t.Errorf("CSP3 §6.1.5 frame-src is %s; want 'self'", got["frame-src"])
	}
}

// TestAHostileURIAddsNoDirective has URIs that net/url takes, and that would end one directive and begin another.
func TestAHostileURIAddsNoDirective(t *testing.T) {
	for _, uri := range []string{
		"https://app.test;frame-ancestors/cb",
		"https://app.test;sandbox/cb",
		"http://[::1%25x;frame-ancestors%20*]/cb",
		"https://app.test,default-src/cb",
		"https://*/cb",
		"https://*.test/cb",
		"https://'unsafe-inline'/cb",
		"https://app.test/cb;sandbox;x:*",
		"https://app.test/cb:*",
		"https://app.test;sandbox:*",
	} {
		t.Run(uri, func(t *testing.T) {
			header := render(t, pages.Policy{FramedBy: uri, Frames: true})
			got, text := directives(t, header), header.Get("Content-Security-Policy")
			if strings.Count(text, ";") > 7 || strings.Contains(text, ",") {
				t.Errorf("Content-Security-Policy: %s; want at most eight directives, and one policy", text)
			}
			if framers := got["frame-ancestors"]; strings.ContainsAny(framers, "*[;") || strings.Contains(framers, "unsafe") {
				t.Errorf("frame-ancestors %s; want no source that the URI's owner does not have", framers)
			}
		})
	}
}

// A page in a frame: browsers that know frame-ancestors ignore X-Frame-Options (CSP3 §6.4.2.2); others apply it.
func TestXFrameOptions(t *testing.T) {
	if got := render(t, pages.Policy{}).Get("X-Frame-Options"); got != "DENY" {
		t.Errorf("RFC 7034 §2.1: X-Frame-Options of a page = %q; want DENY", got)
	}
	if got := render(t, pages.Policy{FramedBy: "https://app.test/cb"}).Get("X-Frame-Options"); got != "" {
		t.Errorf("RFC 7034 §2.1: X-Frame-Options of a page that the client may frame = %q; want none", got)
	}
}

// directives reads a policy; of a repeated directive the first counts (CSP3 §2.2.1).
func directives(t *testing.T, header http.Header) map[string]string {
	t.Helper()
	if n := len(header.Values("Content-Security-Policy")); n != 1 {
		t.Fatalf("there are %d policies; want 1", n)
	}
	found := map[string]string{}
	for directive := range strings.SplitSeq(header.Get("Content-Security-Policy"), ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), " ")
		if _, repeated := found[name]; !repeated {
			found[name] = value
		}
	}
	return found
}

func TestThePlaceOfAnAddress(t *testing.T) { // RFC 7591 §5
	for uri, want := range map[string]string{
		"https://app.test/cb?x=y": "app.test", "http://localhost:5173/cb": "localhost:5173",
		"com.example.app:/cb": "com.example.app:", "%zz": "", "": "",
	} {
		if got := pages.Place(uri); got != want {
			t.Errorf("Place(%q) = %q; want %q", uri, got, want)
		}
	}
}
