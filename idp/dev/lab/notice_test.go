package lab_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/dev/lab"
)

func TestTheLabSaysWhatItDoes(t *testing.T) {
	h := newFixture(t)
	if h.Active() || len(h.Notices()) != 0 {
		t.Errorf("a lab that does nothing says %v", h.Notices())
	}
	h.cause(t, `{"client":"spa","fault":"cookie_samesite_lax","for":"2m"}`)
	h.cause(t, `{"fault":"html_page"}`)
	h.cause(t, `{"fault":"drop","times":3}`)
	if err := h.Clock.Forward(time.Hour); err != nil {
		t.Fatal(err)
	}
	h.clock.Pass(48 * time.Second)
	var got []string
	for _, notice := range h.Notices() {
		got = append(got, notice.At(h.clock.Now()))
	}
	want := []string{
		"the provider overlooks the cookies of an iframe (cookie_samesite_lax) for spa, 1:12 left",
		"the provider shows a page under prompt=none (html_page) for any client, at the next request",
		"the provider closes the connection without an answer (drop) for any client, at the next 3 requests",
		"the provider's clock is 1h ahead",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the notices (-want +got):\n%s", diff)
	}
	if err := h.TurnOff(); err != nil || h.Active() || h.Clock.Offset() != 0 {
		t.Errorf("turned off, %v, the lab says %v", err, h.Notices())
	}
}

// Only a request that a fault changed gets the remark, and every request while the clock is moved.
func TestTheRemarkOfARequest(t *testing.T) {
	h := newFixture(t)
	ctx := h.Observe(t.Context())
	if got := lab.Remark(ctx); got != "" {
		t.Errorf("without a fault the remark is %q", got)
	}
	h.cause(t, `{"client":"spa","fault":"session_lost"}`)
	for client, want := range map[string]string{"other": "", "spa": "(failure lab: caused by the fault session_lost)"} {
		r := h.silent(t, client)
		r = r.WithContext(h.Observe(r.Context()))
		next, _, err := h.Intercept(nil, r, "authorize")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = h.parts.Recognise.Current(next)
		if got := lab.Remark(next.Context()); got != want {
			t.Errorf("the remark for %s is %q; want %q", client, got, want)
		}
	}
	if err := h.Clock.Forward(10 * time.Minute); err != nil {
		t.Fatal(err)
	}
	if got := lab.Remark(h.Observe(t.Context())); !strings.Contains(got, "clock is 10m ahead") {
		t.Errorf("under a moved clock the remark is %q", got)
	}
}
