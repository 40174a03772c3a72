package trace_test

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/hush-idp/hush/trace"
)

// BenchmarkEmitUnwatched is what a step costs where nobody watches: a look into the context of a request.
func BenchmarkEmitUnwatched(b *testing.B) {
	ctx, cancel := context.WithCancel(context.WithValue(b.Context(), http.ServerContextKey, 0))
	defer cancel()
	step := trace.Step{Kind: trace.KindRule, Text: "the rule is kept", Outcome: trace.OK}
	b.ReportAllocs()
	for b.Loop() {
		trace.Emit(ctx, step)
	}
}

// BenchmarkSilentCycle is what the trace costs one silent renewal, an authorization and a token request of as many
// steps as the provider's, by how many watch. Without a hub it is what the benchmark itself costs.
func BenchmarkSilentCycle(b *testing.B) {
	b.Run("no_hub", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			cycle(nil, strconv.Itoa(i))
		}
	})
	for _, watchers := range []int{0, 1, 100} {
		b.Run(strconv.Itoa(watchers)+"_watchers", func(b *testing.B) {
			h := trace.NewHub(trace.Options{Now: time.Now})
			defer h.Reset()
			for range watchers {
				w := h.Watch()
				defer w.Close()
				go func() {
					for range w.Events() {
					}
				}()
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				cycle(h, strconv.Itoa(i))
			}
		})
	}
}

func cycle(h *trace.Hub, n string) {
	code, jti, state := code+n, "jti-of-an-access-token-"+n, "state-of-oidc-client-ts-"+n
	query := url.Values{
		"client_id": {"spa"}, "redirect_uri": {"https://app.example/callback"}, "response_type": {"code"},
		"scope": {"openid email"}, "prompt": {"none"},
		"state": {state}, "code_challenge": {verifier}, "code_challenge_method": {"S256"}, "id_token_hint": {idToken},
	}
	request(h, "authorize", query, func(r *trace.Recorder) {
		steps(r, 28)
		r.Join(trace.Code, code)
		r.Emit(trace.Step{
			Kind: trace.KindCode, Text: "issued", Outcome: trace.OK,
			Values: []trace.Value{trace.Secret("code", code), trace.Plain("sub", "alice")},
		})
		r.Set(func(r *trace.Record) {
			r.Status, r.Silent, r.Answer = 303, true, trace.Params(
				url.Values{"code": {code}, "state": {state}, "iss": {"https://idp.example"}})
			r.Cookies = []trace.Cookie{
				{Name: "__Host-hush", Text: trace.Secret("", idToken).Text, Direction: "sent", Session: true},
			}
		})
	})
	form := url.Values{
		"grant_type":    {"authorization_code"},
		"client_id":     {"spa"},
		"code":          {code},
		"code_verifier": {verifier},
		"redirect_uri":  {"https://app.example/callback"},
	}
	request(h, "token", form, func(r *trace.Recorder) {
		steps(r, 10)
		r.Join(trace.Code, code)
		r.Join(trace.JTI, jti)
		r.Emit(
			trace.Step{
				Kind:    trace.KindToken,
				Text:    "signed",
				Outcome: trace.OK,
				Values:  []trace.Value{trace.JWT("id_token", idToken)},
			},
		)
		r.Emit(
			trace.Step{
				Kind:    trace.KindToken,
				Text:    "signed",
				Outcome: trace.OK,
				Values:  []trace.Value{trace.JWT("access_token", idToken)},
			},
		)
		r.Set(func(r *trace.Record) {
			r.Status, r.Answer = 200, []trace.Value{
				trace.Plain("token_type", "Bearer"),
				trace.Plain("expires_in", "300"),
				trace.Plain("scope", "openid email"),
			}
		})
	})
}

func request(h *trace.Hub, endpoint string, form url.Values, answer func(*trace.Recorder)) {
	_, recorder := h.Begin(context.Background(), trace.Record{
		ID: "id", Issuer: "https://idp.example", Endpoint: endpoint, Method: "POST", Path: "/" + endpoint, ClientID: "spa",
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
		Fetch:     trace.Fetch{Site: "same-site", Mode: "navigate", Dest: "iframe"},
	})
	recorder.Set(func(r *trace.Record) { r.Params = trace.Params(form) })
	answer(recorder)
	recorder.End()
}

func steps(r *trace.Recorder, n int) {
	for range n {
		r.Emit(
			trace.Step{
				Kind:    trace.KindRule,
				Spec:    "RFC 6749 §4.1.1",
				Text:    "a sentence of the specification",
				Outcome: trace.OK,
			},
		)
	}
}
