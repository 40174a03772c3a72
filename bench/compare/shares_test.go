package main

import (
	"strings"
	"testing"

	"github.com/google/pprof/profile"
)

func TestASampleIsOfTheFirstPartOnItsStack(t *testing.T) {
	sample := func(value int64, functions ...string) *profile.Sample {
		s := &profile.Sample{Value: []int64{1, value}}
		for _, name := range functions {
			line := profile.Line{Function: &profile.Function{Name: name}}
			s.Location = append(s.Location, &profile.Location{Line: []profile.Line{line}})
		}
		return s
	}
	const hush = "github.com/hush-idp/hush/"
	const token, server = hush + "idp/token.Endpoint.Token", "net/http.(*conn).serve"
	text := sharesTable(&profile.Profile{Sample: []*profile.Sample{
		sample(50, "crypto/internal/fips140/nistec.p256", "crypto/ecdsa.Sign", hush+"idp/keys.Sign", token, server),
		sample(20, "runtime.scanobject", "runtime.gcAssistAlloc", hush+"storage.(*Memory).Put", server),
		sample(20, "runtime.mallocgc", token, server),
		sample(10, "runtime.findRunnable", "runtime.schedule"),
	}})
	for _, line := range []string{
		"| signatures | 50 % |", "| garbage collection | 20 % |", "| store and its records | 0 % |",
		"| rules of /token | 20 % |",
		"| scheduler, timers and the rest of the runtime | 10 % |",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("the table has no line %s\n%s", line, text)
		}
	}
}
