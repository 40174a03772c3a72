package oidc_test

import (
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/hush-idp/hush/oidc"
)

func TestAFormFaultNamesNoAddress(t *testing.T) {
	local := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 7), Port: 8080}
	_, escape := url.ParseQuery("a=%zz")
	_, many := oidc.ParseQuery(strings.Repeat("&a", 20_000))
	for _, row := range []struct {
		name string
		err  error
		says string
	}{
		{
			"a body that did not come in time",
			fmt.Errorf("form: %w", &net.OpError{Op: "read", Net: "tcp", Source: local, Err: os.ErrDeadlineExceeded}),
			"in time",
		},
		{
			"a connection that broke",
			&net.OpError{Op: "read", Net: "tcp", Addr: local, Err: errors.New("connection reset by peer")}, "not whole",
		},
		{"RFC 6749 appendix B a percent sign that stands alone", escape, `"%zz"`},
		{"too many parameters", many, "more than 10000 parameters"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := oidc.FormFault(row.err); !strings.Contains(got, row.says) || strings.Contains(got, "10.0.0.7") {
				t.Errorf("FormFault(%v) = %q; want %q, and no address", row.err, got, row.says)
			}
		})
	}
}

// Without semicolons ParseQuery is net/url's parser; with them it is net/url's parser of the text that browsers send.
func FuzzParseQuery(f *testing.F) {
	for _, seed := range []string{"a=b&c=d", "a=1&a=2", "a;b=c", "state=x;y;z&q", "%3B=;", "a=%zz&b=;", "=&&;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := oidc.ParseQuery(text)
		want, errWant := url.ParseQuery(strings.ReplaceAll(text, ";", "%3B"))
		if !strings.Contains(text, ";") {
			want, errWant = url.ParseQuery(text)
		}
		if !reflect.DeepEqual(got, want) || (err == nil) != (errWant == nil) {
			t.Errorf("ParseQuery(%q) = %v, %v; want %v, %v", text, got, err, want, errWant)
		}
	})
}

// Each row is the result of net/http for the same request, but for semicolons.
func TestParseForm(t *testing.T) {
	for _, row := range []struct {
		name, method, query, media, body string
		form, posted                     url.Values
		fails                            bool
	}{
		{name: "URL §5.1 a semicolon does not separate parameters", method: "POST", query: "a=1;b=2", media: oidc.FormType,
			body: "c=3;d=4&e=;", posted: url.Values{"c": {"3;d=4"}, "e": {";"}},
			form: url.Values{"a": {"1;b=2"}, "c": {"3;d=4"}, "e": {";"}}},
		{name: "the body comes before the query", method: "POST", query: "a=2&b=3", media: oidc.FormType + "; charset=utf-8",
			body: "a=1", posted: url.Values{"a": {"1"}}, form: url.Values{"a": {"1", "2"}, "b": {"3"}}},
		{name: "a GET has no form in its body", method: "GET", query: "a=1", media: oidc.FormType, body: "b=2",
			posted: url.Values{}, form: url.Values{"a": {"1"}}},
		{name: "JSON is no form", method: "POST", query: "a=1", media: "application/json", body: "b=2",
			posted: url.Values{}, form: url.Values{"a": {"1"}}},
		{name: "a malformed percent sign is an error, and the rest can be read", method: "POST", query: "a=%&b=1",
			media: oidc.FormType, body: "c=%zz&d=2", posted: url.Values{"d": {"2"}}, form: url.Values{"b": {"1"}, "d": {"2"}},
			fails: true},
		{name: "more than 10,000 parameters are an error, and the first can be read", method: "POST", query: "b=1",
			media: oidc.FormType, body: "c=2" + strings.Repeat("&", 10_000), fails: true,
			posted: url.Values{"c": {"2"}}, form: url.Values{"b": {"1"}, "c": {"2"}}},
		{name: "a body of more than a megabyte is an error", method: "POST", media: oidc.FormType,
			body: strings.Repeat("a", 1<<20+1), posted: url.Values{}, form: url.Values{}, fails: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), row.method, "/?"+row.query, strings.NewReader(row.body))
			r.Header.Set("Content-Type", row.media)
			err := oidc.ParseForm(r)
			if !reflect.DeepEqual(r.Form, row.form) || !reflect.DeepEqual(r.PostForm, row.posted) || (err != nil) != row.fails {
				t.Errorf("got %v, %v, %v; want %v, %v", r.Form, r.PostForm, err, row.form, row.posted)
			}
			if err := oidc.ParseForm(r); err != nil || !reflect.DeepEqual(r.Form, row.form) {
				t.Errorf("a second call: %v %v; want the same values and no error", r.Form, err)
			}
		})
	}
}

// BenchmarkParseQuery parses the query of a silent renewal.
func BenchmarkParseQuery(b *testing.B) {
	query := url.Values{
		"client_id": {"spa"}, "redirect_uri": {"http://localhost:9090/callback.html"}, "response_type": {"code"},
		"scope": {"openid profile"}, "state": {"0123456789abcdef"}, "nonce": {"0123456789abcdef"}, "prompt": {"none"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}.Encode()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := oidc.ParseQuery(query); err != nil {
			b.Fatal(err)
		}
	}
}

func TestIsMadeOf(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "a": true, "-Az09_": true, "a b": false, "a\n": false, "\na": false, "aéb": false, "a\xffb": false,
		"a.b": false, "é": false, "a\x00b": false,
	} {
		if got := oidc.IsMadeOf(text, oidc.LettersAndDigits+"-_"); got != want {
			t.Errorf("IsMadeOf(%q) = %t; want %t", text, got, want)
		}
	}
}
