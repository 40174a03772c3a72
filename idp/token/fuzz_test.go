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
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// answerable are the errors of RFC 6749 §5.2 and RFC 8707 §2 that a token request can be answered with.
var answerable = []oidc.ErrorCode{
	oidc.InvalidRequest, oidc.InvalidClient, oidc.InvalidGrant, oidc.UnauthorizedClient, oidc.UnsupportedGrantType,
	oidc.InvalidScope, oidc.InvalidTarget,
}

// errorText is what RFC 6749 §5.2 allows in error_description.
var errorText = regexp.MustCompile(`^[\x20-\x21\x23-\x5B\x5D-\x7E]*$`)

// theCode stands in a fuzzed body for a code that was just issued.
const theCode = "THECODE"

// FuzzToken: whatever comes is tokens, once, for who shows the code, its verifier and its redirect_uri; or an error
// that a client can read.
func FuzzToken(f *testing.F) {
	const form = "application/x-www-form-urlencoded"
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for _, client := range []string{"spa", "web", "basic", "post", "codeless", "nobody"} {
		f.Add(form, "", goodForm(client, theCode).Encode())
		f.Add(form+"; charset=utf-8", basic(client+":s%2Fecret"), goodForm("", theCode).Encode())
		f.Add(form, basic(client+":wrong"), goodForm("spa", theCode).Encode())
	}
	f.Add(form, "Bearer x", "grant_type=%zz&code=a;b&code=a")
	f.Add(
		"multipart/form-data; boundary=x", basic("%zz:"),
		"--x\r\nContent-Disposition: form-data; name=code\r\n\r\nx\r\n--x--",
	)
	f.Add(strings.Repeat("x", 1<<12), "", "")
	f.Add("", basic("\xff:\x00"), "{}")
	f.Add(
		form, basic("machine:s%2Fecret"),
		"grant_type=client_credentials&scope=orders.read&resource=urn:the-api&resource=https://a.test",
	)
	f.Add(form, "", "grant_type=refresh_token&refresh_token="+theCode+".x&client_id=offline&scope=openid")
	e := newEndpoint(f)
	e.issuer.Signer = signsAll
	e.useGrants(newGrants(storage.NewMemory(e.clock.Now), e.clock.Now))
	f.Fuzz(func(t *testing.T, contentType, authorization, body string) {
		code := e.issueFor(t, "spa")
		first := func() (Response, error) {
			return e.Exchange(fuzzed(t, contentType, authorization, strings.ReplaceAll(body, theCode, code)))
		}
		response, err := first()
		checkExchange(t, body, response, err)
		if _, again := first(); err == nil && again == nil && response.IDToken != "" {
			t.Errorf("RFC 6749 §4.1.2 %q redeemed a code twice", body)
		}
	})
}

func (e *testEndpoint) issueFor(t *testing.T, client string) string {
	t.Helper()
	e.clock.Pass(grant.CodeLifetime) // so that the store forgets the marks of before
	code, err := e.grants.Issue(t.Context(), grant.Grant{
		ClientID: client, RedirectURI: "https://app.test/cb", CodeChallenge: codeChallenge,
		Scope: oidc.Scope{"openid"}, Sub: "alice",
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
		if !slices.Contains(answerable, refused.Code) || !errorText.MatchString(refused.Description) ||
			len(refused.Description) > 2000 {
			t.Errorf("RFC 6749 §5.2 %q is answered with %v", body, err)
		}
		return
	}
	if response.IDToken == "" && strings.Contains(unescaped(body), oidc.GrantClientCredentials) {
		return // a client that asks for itself shows no code
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

// FuzzRefresh: whatever comes is tokens, for who shows the refresh token and its client_id; or an error that a client
// can read.
func FuzzRefresh(f *testing.F) {
	for _, more := range []string{"", "&scope=openid", "&scope=email", "&resource=urn:the-api", "&resource=x%23y",
		"&client_secret=s", "&refresh_token=x", "&scope=%ff"} {
		f.Add("grant_type=refresh_token&client_id=offline&refresh_token=" + theCode + more)
		f.Add("grant_type=refresh_token&client_id=confidential&client_secret=s%2Fecret&refresh_token=" +
			theCode + ".x" + more)
	}
	f.Add("grant_type=refresh_token&client_id=offline&refresh_token=..")
	e := newEndpoint(f)
	e.issuer.Signer = signsAll
	e.access.Signer = e.issuer.Signer
	f.Fuzz(func(t *testing.T, body string) {
		e.useGrants(newGrants(storage.NewMemory(e.clock.Now), e.clock.Now))
		granted := grant.Grant{
			ID: "g", ClientID: "offline", Scope: oidc.Scope{"openid", "profile", "offline_access"}, Sub: "alice",
			AuthTime: e.clock.Now(),
		}
		token, err := e.grants.Begin(
			t.Context(), granted, "", Refresh{Idle: time.Hour, Absolute: time.Hour}.terms(&oidc.Client{}),
		)
		if err != nil {
			t.Fatal(err)
		}
		response, err := e.Exchange(fuzzed(t, "application/x-www-form-urlencoded", "",
			strings.ReplaceAll(body, theCode, token)))
		if refused := oidc.AsError(err); err != nil && (!slices.Contains(answerable, refused.Code) ||
			!errorText.MatchString(refused.Description)) {
			t.Errorf("RFC 6749 §5.2 %q is answered with %v", body, err)
		}
		if err == nil && response.RefreshToken != "" && !(strings.Contains(unescaped(body), theCode) &&
			strings.Contains(unescaped(body), "offline")) {
			t.Errorf("%q gave %+v without showing the token and its client", body, response)
		}
	})
}

// signsAll is a signer that is fast.
var signsAll = keys.SignerFunc(func(context.Context, string, string, any) (string, error) { return "signed", nil })
