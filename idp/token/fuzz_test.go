package token

import (
	"context"
	"encoding/base64"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// answerable are the errors of RFC 6749 §5.2 that a token request can be answered with.
var answerable = []oidc.ErrorCode{oidc.InvalidRequest, oidc.InvalidClient, oidc.InvalidGrant, oidc.UnauthorizedClient, oidc.UnsupportedGrantType}

// errorText is what RFC 6749 §5.2 allows in error_description.
var errorText = regexp.MustCompile(`^[\x20-\x21\x23-\x5B\x5D-\x7E]*$`)

// theCode stands in a fuzzed body for a code that was just issued.
const theCode = "THECODE"

// FuzzToken: whatever comes is tokens, once, for who shows the code, its verifier and its redirect_uri; or an error that a
// client can read.
func FuzzToken(f *testing.F) {
	const form = "application/x-www-form-urlencoded"
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for _, client := range []string{"spa", "web", "basic", "post", "codeless", "nobody"} {
		f.Add(form, "", goodForm(client, theCode).Encode())
		f.Add(form+"; charset=utf-8", basic(client+":s%2Fecret"), goodForm("", theCode).Encode())
		f.Add(form, basic(client+":wrong"), goodForm("spa", theCode).Encode())
	}
	f.Add(form, "Bearer x", "grant_type=%zz&code=a;b&code=a")
	f.Add("multipart/form-data; boundary=x", basic("%zz:"), "--x\r\nContent-Disposition: form-data; name=code\r\n\r\nx\r\n--x--")
	f.Add(strings.Repeat("x", 1<<12), "", "")
	f.Add("", basic("\xff:\x00"), "{}")
	e := newEndpoint(f)
	e.Sign = func(context.Context, string, string, any) (string, error) { return "signed", nil }
	e.grants.Codes = storage.NewBucket[grant.Code]("code", storage.NewMemory(e.clock.Now)) // unlike a Spy it forgets
	e.grants.Revoked = storage.NewBucket[time.Time]("revoked", storage.NewMemory(e.clock.Now))
	f.Fuzz(func(t *testing.T, contentType, authorization, body string) {
		code := e.issueFor(t, "spa")
		first := func() (Response, error) {
			return e.Exchange(fuzzed(t, contentType, authorization, strings.ReplaceAll(body, theCode, code)))
		}
		response, err := first()
		checkExchange(t, body, response, err)
		if _, again := first(); err == nil && again == nil {
			t.Errorf("RFC 6749 §4.1.2 %q redeemed a code twice", body)
		}
	})
}

func (e *testEndpoint) issueFor(t *testing.T, client string) string {
	t.Helper()
	e.clock.Pass(grant.CodeLifetime) // so that the store forgets the codes of before
	code, err := e.grants.Issue(t.Context(), grant.Grant{
		ClientID: client, RedirectURI: "https://app.test/cb", CodeChallenge: s256(codeVerifier), Scope: oidc.Scope{"openid"}, Sub: "alice",
	})
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func fuzzed(t *testing.T, contentType, authorization, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/token", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Authorization", authorization)
	return r
}

func checkExchange(t *testing.T, body string, response Response, err error) {
	t.Helper()
	if err != nil {
		refused := oidc.AsError(err)
		if !slices.Contains(answerable, refused.Code) || !errorText.MatchString(refused.Description) || len(refused.Description) > 2000 {
			t.Errorf("RFC 6749 §5.2 %q is answered with %v", body, err)
		}
		return
	}
	for _, shown := range []string{theCode, codeVerifier, "spa"} {
		if !strings.Contains(unescaped(body), shown) {
			t.Errorf("%q gave %+v without showing %s", body, response, shown)
		}
	}
}

// unescaped takes the percent-encoding off everything that has one.
func unescaped(body string) string {
	return escape.ReplaceAllStringFunc(body, func(hex string) string {
		value := 0
		for _, digit := range strings.ToLower(hex[1:]) {
			value = value<<4 + strings.IndexRune("0123456789abcdef", digit)
		}
		return string([]byte{byte(value)})
	})
}

var escape = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
