package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/hush-idp/hush/bench/renewal"
)

// builtIn is a client of Hush's built-in configuration. Its users are alice, bob and carol.
var builtIn = renewal.Options{
	ClientID: "spa", RedirectURI: "http://localhost:9090/spa/callback.html", Scopes: []string{"openid"},
	AccessJWT: true, AuthTime: true,
}

// growth measures Hush with few and with many live sessions, with few and with many users, and on each store. It adds
// its tables to texts.
func growth(ctx context.Context, folder string, s size, texts map[string]string) error {
	stores, end, err := stores(folder)
	if err != nil {
		return err
	}
	defer end()
	// Rounds are so much longer with sessions because the collection of garbage, which is rare in a large heap, must be in
	// them. A start with a million sessions takes as long as making them.
	for _, t := range []struct {
		name, first    string // of the table and of its first column
		longer, starts int
		subjects       []*subject
	}{
		{"sessions", "live sessions", 5, 1, []*subject{withSessions(1), withSessions(1_000), withSessions(1_000_000)}},
		{"users", "users in the file", 2, 3, []*subject{
			withUsers(concurrency, folder), withUsers(1_000, folder), withUsers(100_000, folder),
		}},
		{"stores", "store", 2, 3, stores},
	} {
		part := s
		part.renewals, part.starts = t.longer*s.renewals, t.starts
		if err := measure(ctx, folder, part, t.subjects); err != nil {
			return err
		}
		texts[t.name] = growthTable(t.first, t.subjects)
	}
	texts["stores"] += redisText(stores)
	return shares(ctx, folder, s, texts)
}

// withSessions is a provider whose store in memory begins with n sessions of other users.
func withSessions(n int, flags ...string) *subject {
	p := provider{name: thousands(n), client: builtIn, names: []string{"alice", "bob", "carol"},
		command: func(address, _ string) []string {
			program := filepath.Join(binaries, "sessions")
			return append([]string{program, "--sessions", strconv.Itoa(n), "--listen", address}, flags...)
		}}
	return &subject{provider: p, algorithm: es256}
}

// withUsers is a provider with n users in its configuration.
func withUsers(n int, folder string) *subject {
	// A file of its own: a running provider reads its file again when it changes.
	file := filepath.Join(folder, fmt.Sprintf("users-%d.yaml", n))
	p := newHush(thousands(n), "JWT", folder, "--config", file)
	command := p.command
	p.command = func(address, algorithm string) []string {
		_ = os.WriteFile(file, []byte(hushConfig(algorithm, "JWT", folder, n)), 0o600)
		return command(address, algorithm)
	}
	return &subject{provider: p, algorithm: es256}
}

// growthTable compares each subject with the first.
func growthTable(what string, subjects []*subject) string {
	text := "| " + what + " | CPU ÷ that of the first line | ready after | memory then | most memory in the load |\n" +
		"|---:|---:|---:|---:|---:|\n"
	unit := mean(subjects[0].rounds, ofProvider)
	for _, s := range subjects {
		text += fmt.Sprintf("| %s | %.2f | %s | %.0f MiB | %.0f MiB |\n", s.name,
			mean(s.rounds, ofProvider)/unit, duration(s.starts), readyMemory(s), mebibytes(s.peak))
	}
	return text
}

func ofProvider(r round) time.Duration { return r.cpu }
func ofStore(r round) time.Duration    { return r.store }

// mean is a processor time for one renewal in all rounds together, in milliseconds.
func mean(rounds []round, of func(round) time.Duration) float64 {
	var all time.Duration
	renewals := 0
	for _, r := range rounds {
		all += of(r)
		renewals += len(r.latencies)
	}
	return milliseconds(all) / float64(renewals)
}

// duration is the median of the times until a provider was ready.
func duration(starts []start) string {
	ms := spreadOf(each(starts, func(s start) float64 { return milliseconds(s.ready) })).Median
	if ms >= 1000 {
		return fmt.Sprintf("%.1f s", ms/float64(time.Second/time.Millisecond))
	}
	return fmt.Sprintf("%.0f ms", ms)
}
