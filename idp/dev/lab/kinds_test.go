package lab_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// effects are what each kind of fault does, once.
var effects = []struct {
	kind lab.Kind
	more string // of its JSON
	want func(t *testing.T, h *fixture)
}{
	{lab.Error, `"endpoint":"token","error":"invalid_grant"`, tokenIsRefused},
	{lab.Error, `"error":"login_required","error_description":"because"`, authorizationIsRefused},
	{lab.Status, `"status":503`, statusIs503},
	{lab.Delay, `"delay":"20ms"`, answersLate},
	{lab.Drop, ``, connectionIsDropped},
	{lab.NoCORS, ``, answerIsHidden},
	{lab.RefreshRevoked, ``, refreshTokenIsRevoked},
	{lab.HTMLPage, ``, pageMayBeFramed},
	{lab.FrameOptions, ``, pageMayNotBeFramed},
	{lab.SessionLost, ``, absent(session.Unknown)},
	{lab.SessionExpired, ``, absent(session.Expired)},
	{lab.SessionOtherUser, `"user":"bob"`, sessionIsOf("bob")},
	{lab.ThirdPartyCookieIgnored, ``, absent(session.Withheld)},
	{lab.CookieSameSiteLax, ``, absent(session.LaxOnly)},
	{lab.ConsentWithdrawn, ``, consentIsGone},
	{lab.CodeSpent, ``, codeIsSpent},
	{lab.ShortLifetime, `"lifetime":"20s"`, lifetimeIsShort},
	{lab.WrongIss, ``, claimed(func(c *claims) { c.Issuer = "https://wrong-issuer.example" })},
	{lab.WrongAud, ``, claimed(func(c *claims) { c.Audience = "another-client" })},
	{lab.WrongNonce, ``, claimed(func(c *claims) { c.Nonce = "a-nonce-that-nobody-sent" })},
	{lab.WrongSub, ``, claimed(func(c *claims) { c.Subject = "somebody-else" })},
	{lab.Expired, ``, claimed(func(c *claims) { c.IssuedAt, c.Expiry = c.IssuedAt-7200, c.IssuedAt-3600 })},
	{lab.FutureIat, ``, claimed(func(c *claims) { c.IssuedAt, c.Expiry = c.IssuedAt+3600, c.IssuedAt+7200 })},
	{lab.AlgNone, ``, isUnsigned},
	{lab.BadSignature, ``, signatureDoesNotFit},
	{lab.MissingKID, ``, kidIsMissing},
	{lab.UnknownKID, ``, kidIsUnknown},
}

func TestEachFaultHasItsEffectOnce(t *testing.T) {
	for _, row := range effects {
		t.Run(string(row.kind), func(t *testing.T) {
			h := newFixture(t)
			h.cause(t, strings.TrimSuffix(fmt.Sprintf(`{"client":"spa","fault":%q,%s`, row.kind, row.more), ",")+"}")
			row.want(t, h)
			h.wantUsed(t)
			h.wantNothingWrong(t)
		})
	}
}

func TestEachKindHasAnEffect(t *testing.T) {
	for _, info := range lab.Kinds(nil) {
		tested := false
		for _, row := range effects {
			tested = tested || row.kind == info.Kind
		}
		if !tested || info.Text == "" || len(info.Endpoints) == 0 {
			t.Errorf("kind %s: tested %v, text %q, endpoints %v; want all of them", info.Kind, tested, info.Text, info.Endpoints)
		}
	}
}

// wantNothingWrong: with no fault left, a renewal is right in all its steps.
func (h *fixture) wantNothingWrong(t *testing.T) {
	t.Helper()
	if s, err := h.current(t, "spa"); err != nil || s.Accounts[0].Sub != "alice" {
		t.Errorf("without a fault the session is %v, %v; want alice's", s, err)
	}
	var got claims
	if err := h.keys.Verify(t.Context(), h.idToken(t), keys.TypeIDToken, &got); err != nil || got != h.rightClaims() {
		t.Errorf("without a fault the ID token is %+v, %v; want %+v", got, err, h.rightClaims())
	}
}

func tokenIsRefused(t *testing.T, h *fixture) {
	_, err := h.answer(t, tokenRequest(t, "spa", ""), "token")
	e, ok := errors.AsType[*oidc.Error](err)
	if !ok || e.Code != oidc.InvalidGrant || e.Reason != oidc.FaultInjected ||
		!strings.Contains(e.Description, "failure lab") {
		t.Errorf("Intercept = %v; want invalid_grant that names the failure lab", err)
	}
}

func authorizationIsRefused(t *testing.T, h *fixture) {
	_, err := h.current(t, "spa") // past Intercept: the error goes to the verified address, by redirect
	e, ok := errors.AsType[*oidc.Error](err)
	if !ok || e.Code != oidc.LoginRequired || e.Description != "because" || e.Reason != oidc.FaultInjected {
		t.Errorf("Current = %v; want login_required: because", err)
	}
}

func statusIs503(t *testing.T, h *fixture) {
	w, err := h.answer(t, tokenRequest(t, "spa", ""), "token")
	if err != nil || w.Code != 503 || w.Header().Get("Retry-After") == "" ||
		w.Header().Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("the answer is %d %v, %v; want 503 with Retry-After, and with CORS so that the script sees it", w.Code,
			w.Header(), err)
	}
}

func answersLate(t *testing.T, h *fixture) {
	start := time.Now()
	h.enter(t, tokenRequest(t, "spa", ""), "token")
	if took := time.Since(start); took < 20*time.Millisecond {
		t.Errorf("the delay took %v; want 20ms or more", took)
	}
}

func connectionIsDropped(t *testing.T, h *fixture) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _,
			_ = h.Intercept(w, r, "token")
	}))
	defer server.Close()
	answer, err := http.Post(server.URL, "application/x-www-form-urlencoded", strings.NewReader("client_id=spa"))
	if err == nil {
		_ = answer.Body.Close()
		t.Errorf("the answer is %s; want none", answer.Status)
	}
}

func answerIsHidden(t *testing.T, h *fixture) {
	fromServer := tokenRequest(t, "spa", "")
	fromServer.Header.Del("Origin")
	h.enter(t, fromServer, "token") // no script: the fault waits
	w := httptest.NewRecorder()
	w.Header().Set("Access-Control-Allow-Origin", "https://app.test")
	if _, handled, err := h.Intercept(w, tokenRequest(t, "spa", ""), "token"); handled || err != nil {
		t.Errorf("Intercept: handled %v, error %v; want the request to go on", handled, err)
	}
	if got := w.Header().Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("Access-Control-Allow-Origin is %q; want none", got)
	}
}

func refreshTokenIsRevoked(t *testing.T, h *fixture) {
	terms := grant.Terms{Idle: time.Hour, Absolute: time.Hour, Access: time.Minute, Rotate: true}
	token, err := h.grants.Begin(t.Context(), grant.Grant{ID: "g", ClientID: "spa", Sub: "alice"}, "", terms)
	if err != nil {
		t.Fatal(err)
	}
	ctx := h.enter(t, tokenRequest(t, "spa", ""), "token").Context() // a code: the fault waits
	if _, err := h.parts.Grants.Family(ctx, token); err != nil {
		t.Fatal(err)
	}
	r := tokenRequest(t, "spa", "")
	r.Body = io.NopCloser(strings.NewReader("grant_type=refresh_token&client_id=spa"))
	ctx = h.enter(t, r, "token").Context()
	if _, err := h.parts.Grants.Family(ctx, token); !errors.Is(err, grant.ErrRevoked) {
		t.Errorf("Family: %v; want ErrRevoked", err)
	}
	if _, err := h.grants.Use(t.Context(), token, terms); !errors.Is(err, grant.ErrRevoked) {
		t.Errorf("after the fault Use: %v; want the grant to be revoked", err)
	}
}

func pageMayBeFramed(t *testing.T, h *fixture) {
	w, err := h.answer(t, h.silent(t, "spa"), "authorize")
	policy := w.Header().Get("Content-Security-Policy")
	if err != nil || w.Code != 200 || w.Header().Get("X-Frame-Options") != "" ||
		strings.Contains(policy, "frame-ancestors") {
		t.Errorf("the page is %d %v, %v; want 200 that everybody may frame", w.Code, w.Header(), err)
	}
}

func pageMayNotBeFramed(t *testing.T, h *fixture) {
	w, err := h.answer(t, h.silent(t, "spa"), "authorize")
	policy := w.Header().Get("Content-Security-Policy")
	if err != nil || w.Code != 200 || w.Header().Get("X-Frame-Options") != "DENY" ||
		!strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("the page is %d %v, %v; want 200 that nobody may frame", w.Code, w.Header(), err)
	}
}

func absent(want session.Absence) func(t *testing.T, h *fixture) {
	return func(t *testing.T, h *fixture) {
		if s, err := h.current(t, "spa"); s != nil || err != want {
			t.Errorf("Current = %v, %v; want %q", s, err, want)
		}
	}
}

func sessionIsOf(sub string) func(t *testing.T, h *fixture) {
	return func(t *testing.T, h *fixture) {
		s, err := h.current(t, "spa")
		if err != nil || len(s.Accounts) != 1 || s.Accounts[0].Sub != sub || s.Accounts[0].AuthTime.IsZero() {
			t.Errorf("Current = %+v, %v; want the session of %s", s, err, sub)
		}
	}
}

func consentIsGone(t *testing.T, h *fixture) {
	if client, _ := h.parts.Clients.ByID(t.Context(), "spa"); client.FirstParty {
		t.Error("the client is a first party still: its users would not be asked for consent")
	}
	ctx := h.enter(t, h.silent(t, "spa"), "authorize").Context()
	if all, err := h.parts.Consents.Of(ctx, "alice"); err != nil || len(all) > 0 {
		t.Errorf("Of = %v, %v; want no consent", all, err)
	}
	if client, _ := h.parts.Clients.ByID(t.Context(), "spa"); !client.FirstParty {
		t.Error("after the fault the client is no first party")
	}
	if all, err := h.parts.Consents.Of(ctx, "alice"); err != nil || len(all) != 1 {
		t.Errorf("after the fault Of = %v, %v; want what alice allowed", all, err)
	}
}

func codeIsSpent(t *testing.T, h *fixture) {
	code, err := h.parts.Grants.Issue(t.Context(), grant.Grant{ClientID: "spa"})
	if err != nil {
		t.Fatal(err)
	}
	ctx := h.enter(t, tokenRequest(t, "spa", ""), "token").Context()
	replayed, err := h.parts.Grants.Redeem(ctx, code, time.Minute)
	if !errors.Is(err, grant.ErrReplayed) {
		t.Errorf("Redeem: %v; want ErrReplayed", err)
	}
	if revoked, err := h.grants.IsRevoked(t.Context(), replayed.ID); !revoked || err != nil {
		t.Errorf("RFC 6749 §4.1.2: revoked is %v, %v; want what the code gave to be revoked", revoked, err)
	}
	if code, err = h.grants.Issue(ctx, grant.Grant{ClientID: "spa"}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.parts.Grants.Redeem(ctx, code, time.Minute); err != nil {
		t.Errorf("after the fault Redeem: %v", err)
	}
}

func lifetimeIsShort(t *testing.T, h *fixture) {
	if client, _ := h.parts.Clients.ByID(t.Context(), "other"); client.AccessTokenLifetime != time.Hour {
		t.Errorf("another client's lifetime is %v; want its own", client.AccessTokenLifetime)
	}
	if client, _ := h.parts.Clients.ByID(t.Context(), "spa"); client.AccessTokenLifetime != 20*time.Second {
		t.Errorf("the lifetime is %v; want 20s", client.AccessTokenLifetime)
	}
	ctx := h.enter(t, tokenRequest(t, "spa", ""), "token").Context()
	if _, err := h.parts.Signer.Sign(ctx, "", keys.TypeAccessToken, claims{}); err != nil {
		t.Fatal(err)
	}
	if client, _ := h.parts.Clients.ByID(t.Context(), "spa"); client.AccessTokenLifetime != time.Hour {
		t.Errorf("after the fault the lifetime is %v; want the client's own", client.AccessTokenLifetime)
	}
}

func claimed(change func(*claims)) func(t *testing.T, h *fixture) {
	return func(t *testing.T, h *fixture) {
		want := h.rightClaims()
		change(&want)
		var got claims
		if err := h.keys.Verify(t.Context(), h.idToken(t), keys.TypeIDToken, &got); err != nil {
			t.Errorf("the signature: %v; want a good one", err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the claims (-want +got):\n%s", diff)
		}
	}
}

type header struct {
	Alg string  `json:"alg"`
	Typ string  `json:"typ"`
	KID *string `json:"kid"`
}

func isUnsigned(t *testing.T, h *fixture) {
	token := h.idToken(t)
	if got := part[header](t, token, 0); got.Alg != "none" || !strings.HasSuffix(token, ".") {
		t.Errorf("RFC 7519 §6.1: the header is %+v of %s; want alg none and an empty signature", got, token)
	}
	if got := part[claims](t, token, 1); got != h.rightClaims() {
		t.Errorf("the claims are %+v; want the right ones", got)
	}
}

func signatureDoesNotFit(t *testing.T, h *fixture) {
	token := h.idToken(t)
	if kid := part[header](t, token, 0).KID; kid == nil || *kid != h.kid(t) {
		t.Error("kid is not that of the published key")
	}
	if err := h.keys.Verify(t.Context(), token, keys.TypeIDToken, new(claims)); err == nil {
		t.Error("the signature is good")
	}
}

func kidIsMissing(t *testing.T, h *fixture) {
	if got := part[header](t, h.idToken(t), 0); got.KID != nil || got.Alg != "ES256" {
		t.Errorf("the header is %+v; want ES256 without kid", got)
	}
}

func kidIsUnknown(t *testing.T, h *fixture) {
	got := part[header](t, h.idToken(t), 0)
	if got.KID == nil || *got.KID == h.kid(t) || got.Alg != "ES256" {
		t.Errorf("the header is %+v; want ES256 and a kid that is not published", got)
	}
}

func (h *fixture) kid(t *testing.T) string {
	t.Helper()
	set, err := h.keys.Public(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return set.Keys[0].KeyID
}
