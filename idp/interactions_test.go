package idp_test

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

func TestAPushedRequestCannotBeReadInTheAddressOfAPage(t *testing.T) { // RFC 9126 §1: confidentiality
	b := idptest.Start(t, withThirdParty).Browser(t)
	params := idptest.Request("spa", "client_id", "third", "redirect_uri", "https://app.test/cb",
		"state", "a-secret-of-the-app", "login_hint", "a-secret-hint")
	uri, _ := b.Post("/par", params).JSON(t)["request_uri"].(string)
	pushed := url.Values{"client_id": {"third"}, "request_uri": {uri}}

	atLogin := b.Authorize(pushed)
	hasNoSecret(t, atLogin)
	afterPassword := b.Submit(b.Get(atLogin.Location.String()), url.Values{"username": {"alice"}, "password": {"alice"}})
	hasNoSecret(t, afterPassword)
	atConsent := b.Get(afterPassword.Location.String())
	hasNoSecret(t, atConsent)
	denied := b.Submit(b.Get(atConsent.Location.String()), url.Values{"decision": {"deny"}})
	hasNoSecret(t, denied)
	if sent := b.Get(denied.Location.String()).Location; sent.Query().Get("error") != string(oidc.AccessDenied) ||
		sent.Query().Get("state") != "a-secret-of-the-app" {
		t.Errorf("the client got %s; want the refusal with the pushed state", sent)
	}
}

func hasNoSecret(t *testing.T, page idptest.Page) {
	t.Helper()
	if page.Location == nil || page.Location.Query().Get("interaction") == "" {
		t.Fatalf("%d to %v; want a redirect with an interaction", page.Status, page.Location)
	}
	if decoded := decodeAll(page.Location.Query().Get("interaction")); strings.Contains(decoded, "a-secret") {
		t.Errorf("anybody who sees the address of %s can read the pushed request:\n%.400q", page.Location.Path, decoded)
	}
}

// decodeAll returns the text, and everything in it that is base64, decoded as often as possible.
func decodeAll(text string) string {
	all := text
	isOther := func(r rune) bool {
		return !strings.ContainsRune("-_+/", r) && (r < '0' || r > '9') && (r|32 < 'a' || r|32 > 'z')
	}
	for part := range strings.FieldsFuncSeq(text, isOther) {
		part = strings.NewReplacer("+", "-", "/", "_").Replace(part)
		if raw, err := base64.RawURLEncoding.DecodeString(part); err == nil && len(raw) > 0 {
			all += "\n" + decodeAll(string(raw))
		}
	}
	return all
}

// proxyBuffer is what nginx reads an answer's header into, if its configuration says nothing.
const proxyBuffer = 4 << 10

// TestARedirectOfAnOrdinaryRequestFitsIntoTheBufferOfAProxy sends requests as real applications do. nginx answers 502
// for a header that is larger than its buffer.
func TestARedirectOfAnOrdinaryRequestFitsIntoTheBufferOfAProxy(t *testing.T) {
	for name, change := range map[string][]string{
		"a state of 500 characters":       {"state", random(500)},
		"an id_token_hint of 765 bytes":   {"id_token_hint", random(765)},
		"both":                            {"state", random(500), "id_token_hint", random(765)},
		"an id_token_hint of 1,438 bytes": {"state", random(60), "id_token_hint", random(1438)},
		"a state of 1,200 characters":     {"state", random(1200)},
	} {
		t.Run(name, func(t *testing.T) {
			b := idptest.Start(t, nil).Browser(t)
			page := b.Authorize(idptest.Request("spa", change...))
			fits(t, page)
			page = b.Submit(b.Get(page.Location.String()), url.Values{"username": {"alice"}, "password": {"alice"}})
			fits(t, page)
			page = b.Get(page.Location.String())
			fits(t, page)
			if page.Location.Query().Get("code") == "" {
				t.Errorf("the sign-in ended at %s; want a code", page.Location)
			}
		})
	}
}

// random is a text that cannot be compressed further than base64.
func random(length int) string {
	raw := make([]byte, length)
	_, _ = rand.Read(raw)
	return base64.RawURLEncoding.EncodeToString(raw)[:length]
}

func fits(t *testing.T, page idptest.Page) {
	t.Helper()
	var header strings.Builder
	_ = page.Header.Write(&header)
	if page.Status != http.StatusSeeOther || header.Len() > proxyBuffer-64 { // 64: the status line
		t.Errorf("%d to %s with a header of %d bytes; want a 303 with less than %d",
			page.Status, page.Location.Path, header.Len(), proxyBuffer)
	}
}
