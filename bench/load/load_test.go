package main

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestARunWithoutErrorReportsRateLatencyAndMemory(t *testing.T) {
	f := newFake(t)
	var report strings.Builder
	args := []string{"--issuer", f.URL, "--users", "4", "--cycles", "40", "--pid", strconv.Itoa(os.Getpid())}
	if err := run(t.Context(), args, &report); err != nil {
		t.Fatalf("run: %v\n%s", err, &report)
	}
	for _, expected := range []string{"cycles   40 right by 4 users", "latency  p50 ", "memory   start ", "errors   0"} {
		if !strings.Contains(report.String(), expected) {
			t.Errorf("the report has no %q:\n%s", expected, &report)
		}
	}
}

func TestARateIsNotExceeded(t *testing.T) {
	f := newFake(t)
	began := time.Now()
	if err := run(t.Context(), []string{"--issuer", f.URL, "--cycles", "40", "--rate", "200"}, io.Discard); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 200*time.Millisecond {
		t.Errorf("40 renewals took %s at a rate of 200 a second", took)
	}
}

func TestTheCurveHasTheMemoryOfEachHalfMinute(t *testing.T) {
	var r results
	for i := range 601 {
		r.memory = append(r.memory, int64(i)<<20)
	}
	if got := strings.Join(r.curve(), " "); got != "0 300 600" {
		t.Errorf("the curve is %s", got)
	}
}

func TestEachWrongAnswerIsCountedByItsKind(t *testing.T) {
	set := func(name string, value any) func(map[string]any) {
		return func(claims map[string]any) { claims[name] = value }
	}
	tests := []struct {
		name  string
		wrong func(*fake)
		kind  string
	}{
		{"Core §3.1.2.6 prompt=none is answered with a page", func(f *fake) {
			f.redirect = func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) }
		}, "answer"},
		{"RFC 6749 §4.1.2.1 a redirect elsewhere is no answer", func(f *fake) {
			f.redirect = func(w http.ResponseWriter) {
				w.Header().Set("Location", "/login")
				w.WriteHeader(http.StatusSeeOther)
			}
		}, "answer"},
		{"Core §3.1.2.6 login_required", func(f *fake) {
			f.answer = func(v url.Values) { v.Del("code"); v.Set("error", "login_required") }
		}, "error login_required"},
		{"RFC 6749 §4.1.2 another state", func(f *fake) { f.answer = func(v url.Values) { v.Set("state", "other") } },
			"state"},
		{"RFC 9207 §2.4 another iss in the answer",
			func(f *fake) { f.answer = func(v url.Values) { v.Set("iss", "http://other.test") } }, "iss"},
		{"RFC 6749 §4.1.2 no code", func(f *fake) { f.answer = func(v url.Values) { v.Del("code") } }, "code"},
		{"Core §3.1.3.7 rule 2, another iss in the ID token", func(f *fake) { f.id = set("iss", "http://other.test") },
			"ID token"},
		{"Core §3.1.3.7 rule 3, another aud", func(f *fake) { f.id = set("aud", "other") }, "ID token"},
		{"Core §3.1.3.7 rule 6, another key", func(f *fake) { f.signed, _ = newSigner(t) }, "ID token"},
		{"Core §3.1.3.7 rule 9, an expired ID token", func(f *fake) { f.id = set("exp", signedInAt) }, "ID token"},
		{"Core §3.1.3.7 rule 11, another nonce", func(f *fake) { f.id = set("nonce", "other") }, "nonce"},
		{"Core §2 another auth_time", func(f *fake) { f.id = set("auth_time", signedInAt+1) }, "auth_time"},
		{"Core §2 no auth_time", func(f *fake) { f.id = func(claims map[string]any) { delete(claims, "auth_time") } },
			"auth_time"},
		{"Core §2 another sub", func(f *fake) { f.id, f.access = set("sub", "mallory"), set("sub", "mallory") }, "sub"},
		{"RFC 9068 §2.2 another sub in the access token", func(f *fake) { f.access = set("sub", "mallory") }, "access token"},
		{"RFC 9068 §2.2 another client_id", func(f *fake) { f.access = set("client_id", "other") }, "access token"},
		{"the access token that should be replaced", func(f *fake) { f.fixed = true }, "same access token"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFake(t)
			test.wrong(f)
			var report strings.Builder
			err := run(t.Context(), []string{"--issuer", f.URL, "--users", "1", "--cycles", "2"}, &report)
			if err == nil || err.Error() != "2 of 2 cycles failed" {
				t.Errorf("run ended with %v, expected all cycles to fail", err)
			}
			if !strings.Contains(report.String(), "errors   2 of kind "+strconv.Quote(test.kind)) {
				t.Errorf("expected two errors of kind %q:\n%s", test.kind, &report)
			}
		})
	}
}

func TestErrorsBeforeTheRun(t *testing.T) {
	f := newFake(t)
	tests := []struct {
		name, says string
		args       []string
	}{
		{"no users", "both must be 1 or more", []string{"--users", "0"}},
		{"Discovery §4.3 the issuer in another spelling", "is the issuer its own spelling?",
			[]string{"--issuer", f.URL + "/"}},
		{"no provider", "does the provider run", []string{"--issuer", "http://127.0.0.1:1"}},
		{"no such process", "does the process -1 run?", []string{"--issuer", f.URL, "--pid", "-1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := run(t.Context(), test.args, nil)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("run ended with %v, expected %q", err, test.says)
			}
		})
	}
}

func TestPercentileIsTheSmallestLatencyThatCoversItsShare(t *testing.T) {
	r := results{}
	for i := range 10 {
		r.latency = append(r.latency, time.Duration(i+1)*time.Millisecond)
	}
	for p, expected := range map[int]time.Duration{0: 1, 50: 5, 90: 9, 91: 10, 100: 10} {
		if got := r.percentile(p); got != expected*time.Millisecond {
			t.Errorf("percentile %d is %s, expected %d ms", p, got, expected)
		}
	}
	if got := (&results{}).percentile(50); got != 0 {
		t.Errorf("without latencies the percentile is %s, expected 0", got)
	}
}

func TestFlatnessComparesTheLastQuarterWithTheSecond(t *testing.T) {
	tests := []struct {
		name    string
		samples []int64
		ratio   float64
	}{
		{"warming up does not count", []int64{1, 10, 10, 10}, 1},
		{"growth shows", []int64{5, 10, 15, 20}, 2},
		{"too few samples say nothing", []int64{1, 100}, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := flatness(test.samples); got != test.ratio {
				t.Errorf("flatness is %v, expected %v", got, test.ratio)
			}
		})
	}
}

func TestMemoryThatGrowsIsAFailure(t *testing.T) {
	r := results{latency: make([]time.Duration, 1), memory: []int64{10, 10, 10, 14}}
	if err := r.verdict(1); err != nil {
		t.Errorf("flat memory: %v", err)
	}
	r.memory = []int64{10, 10, 20, 25}
	if err := r.verdict(1); err == nil {
		t.Error("memory that more than doubled is no failure")
	}
}
