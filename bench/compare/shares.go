package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/pprof/profile"
)

// part is a part of a renewal.
type part struct {
	name      string
	functions []string // the beginnings of their names
}

// parts are all of them. A sample of the profile is of the first part that has a function on its stack.
var parts = []part{
	{"garbage collection", []string{
		"runtime.gcBgMarkWorker", "runtime.gcAssist", "runtime.bgsweep", "runtime.bgscavenge",
	}},
	{"signatures", []string{"crypto/ecdsa."}},
	{"sockets: system calls", []string{"internal/poll.", "internal/runtime/syscall.", "syscall.", "runtime.netpoll"}},
	{"log", []string{"log/slog."}},
	{"metrics", []string{"github.com/hush-idp/hush/cmd/idp/observe.(*series", "github.com/VictoriaMetrics/"}},
	{"store and its records", []string{"github.com/hush-idp/hush/storage."}},
	{"tokens without their signatures", []string{
		"github.com/hush-idp/hush/idp/keys.", "github.com/hush-idp/hush/idp/access.", "github.com/go-jose/",
	}},
	{"rules of /authorize", []string{"github.com/hush-idp/hush/idp/authorize."}},
	{"rules of /token", []string{"github.com/hush-idp/hush/idp/token.", "github.com/hush-idp/hush/idp/grant."}},
	{"Hush's layers around both", []string{"github.com/hush-idp/hush/", "github.com/labstack/echo"}},
	{"net/http: requests and answers", []string{"net/http."}},
	{"scheduler, timers and the rest of the runtime", []string{""}},
}

// shares renews at a provider that measures where its processor time goes, and adds the table of it to texts.
func shares(ctx context.Context, folder string, s size, texts map[string]string) error {
	path := filepath.Join(folder, "profile")
	one := withSessions(1, "--profile", path)
	s.starts, s.renewals = 1, 2*s.renewals
	if err := measure(ctx, folder, s, []*subject{one}); err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	found, err := profile.Parse(file)
	if err == nil {
		texts["shares"] = sharesTable(found)
	}
	return err
}

func sharesTable(p *profile.Profile) string {
	sums := make([]int64, len(parts))
	var total int64
	for _, sample := range p.Sample {
		time := sample.Value[len(sample.Value)-1]
		sums[partOf(sample)] += time
		total += time
	}
	text := "| part | share of the processor time |\n|---|---:|\n"
	for i, part := range parts {
		text += fmt.Sprintf("| %s | %.0f %% |\n", part.name, 100*float64(sums[i])/float64(max(total, 1)))
	}
	return text
}

func partOf(sample *profile.Sample) int {
	return slices.IndexFunc(parts, func(p part) bool {
		return slices.ContainsFunc(p.functions, func(function string) bool { return has(sample, function) })
	})
}

// has tells whether a function whose name begins so is on the stack; each stack has "".
func has(sample *profile.Sample, beginning string) bool {
	if beginning == "" {
		return true
	}
	for _, location := range sample.Location {
		for _, line := range location.Line {
			if strings.HasPrefix(line.Function.Name, beginning) {
				return true
			}
		}
	}
	return false
}
