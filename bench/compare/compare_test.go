package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A run of the real thing: keys, processes, forms, renewals, numbers. lean is the peer without further modules.
func TestLeanRenewsWithBothAlgorithmsAndBothKindsOfAccessTokens(t *testing.T) {
	subjects := leanSubjects(t)
	s := size{starts: 2, warmUp: 1, rounds: 2, renewals: 5}
	if err := measure(t.Context(), t.TempDir(), s, subjects); err != nil {
		t.Fatal(err)
	}
	for _, one := range subjects {
		if len(one.starts) != 2 || len(one.rounds) != 2 || len(one.rounds[0].latencies) != 5 {
			t.Errorf("%s, %s: measured were %+v and %+v", one.access, one.algorithm, one.starts, one.rounds)
		}
		if r := one.rounds[1]; cpu(r) <= 0 || p99(r) <= 0 || one.starts[0].ready <= 0 || one.peak < one.starts[1].memory {
			t.Errorf("%s, %s: %+v, starts %+v, at most %d bytes", one.access, one.algorithm, r, one.starts, one.peak)
		}
	}
}

func TestAWrongAnswerEndsTheRun(t *testing.T) {
	one := leanSubjects(t)[0]
	one.client.ClientID = "other" // lean does not know it
	err := measure(t.Context(), t.TempDir(), size{starts: 1, warmUp: 1, rounds: 1, renewals: 1}, []*subject{one})
	if err == nil || !strings.Contains(err.Error(), "lean, ES256: sign-in: answer: 400") {
		t.Errorf("the error is %v", err)
	}
	if one.running != nil {
		t.Error("the provider still runs")
	}
}

// leanSubjects builds lean.
func leanSubjects(t *testing.T) (subjects []*subject) {
	binaries := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-C", "../peers", "-o", binaries, "./lean")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	all, err := providers(t.TempDir(), binaries)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if p.name == base {
			subjects = append(subjects, &subject{provider: p, algorithm: es256}, &subject{provider: p, algorithm: rs256})
		}
	}
	if len(subjects) != 4 {
		t.Fatalf("lean has %d subjects, expected two kinds of access tokens with two algorithms", len(subjects))
	}
	return subjects
}

func TestASpreadIsTheMedianAndTheRange(t *testing.T) {
	for _, test := range []struct {
		name     string
		numbers  []float64
		expected spread
	}{
		{"none", nil, spread{}},
		{"one", []float64{3}, spread{3, 3, 3}},
		{"an odd count", []float64{9, 1, 2}, spread{2, 1, 9}},
		{"an even count", []float64{4, 1, 2, 9}, spread{3, 1, 9}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := spreadOf(test.numbers); got != test.expected {
				t.Errorf("the spread is %+v, expected %+v", got, test.expected)
			}
		})
	}
}

// roundOf has a cpu time per renewal, and latencies of 1 ms, 2 ms and so on.
func roundOf(renewals int, cpu time.Duration) round {
	r := round{cpu: cpu * time.Duration(renewals)}
	for i := range renewals {
		r.latencies = append(r.latencies, time.Duration(renewals-i)*time.Millisecond)
	}
	return r
}

func TestRatiosAreThoseWithinARound(t *testing.T) {
	// The machine was twice as slow in the second round, for both.
	const ms = time.Millisecond
	of := []round{roundOf(10, 3*ms), roundOf(10, 6*ms), roundOf(10, 4*ms)}
	to := []round{roundOf(10, ms), roundOf(10, 2*ms), roundOf(10, ms)}
	if got, expected := ratios(of, to, cpu), (spread{3, 3, 4}); got != expected {
		t.Errorf("the ratios are %+v, expected %+v", got, expected)
	}
	if got := mean(of, ofProvider); got < 4.33 || got > 4.34 {
		t.Errorf("the mean is %v ms, expected 13 ms of three rounds", got)
	}
}

func TestP99IsTheSmallestLatencyThatCoversItsShare(t *testing.T) {
	for renewals, expected := range map[int]float64{1: 1, 10: 10, 100: 99, 1000: 990} {
		if got := p99(roundOf(renewals, 0)); got != expected {
			t.Errorf("of %d renewals it is %v ms, expected %v", renewals, got, expected)
		}
	}
}

func testRows() []row {
	made := func(name, access string, factor time.Duration) row {
		with := func(algorithm string) *subject {
			return &subject{algorithm: algorithm, rounds: []round{roundOf(100, factor*time.Millisecond)},
				starts: []start{{5 * time.Millisecond, 8 << 20}, {1200 * time.Millisecond, 9 << 20}}, peak: 20 << 20}
		}
		p := provider{name: name, access: access, hush: name == "Hush"}
		return row{provider: p, es256: with(es256), rs256: with(rs256)}
	}
	floor := made("floor", "", 1)
	floor.rs256 = nil
	return []row{floor, made(base, "opaque", 2), made(base, "JWT", 3), made("slow", "opaque", 20), made("Hush", "JWT", 4)}
}

func TestTheTableComparesWithLean(t *testing.T) {
	text := table(testRows())
	for _, line := range []string{
		"| floor |  | 0.50 (0.50–0.50) |  | 1.00 (1.00–1.00) | 602 ms | 8 → 20 MiB |  |",
		"| lean | JWT | 1.50 (1.50–1.50) | 1.50 (1.50–1.50) | 1.00 (1.00–1.00) | 602 ms | 8 → 20 MiB |  |",
		"| **Hush** | JWT | 2.00 (2.00–2.00) | 2.00 (2.00–2.00) | 1.00 (1.00–1.00) | 602 ms | 8 → 20 MiB |  |",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("the table has no line %s\n%s", line, text)
		}
	}
}

func TestThePlotIsXMLWithABarForEachProviderAndAlgorithm(t *testing.T) {
	picture, err := plot(testRows())
	if err != nil {
		t.Fatal(err)
	}
	bars := 0
	for decoder := xml.NewDecoder(bytes.NewReader(picture)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if element, ok := token.(xml.StartElement); ok && element.Name.Local == "rect" {
			bars++
		}
	}
	if bars != 9 {
		t.Errorf("it has %d bars, expected 5 of ES256 and 4 of RS256\n%s", bars, picture)
	}
	if !strings.Contains(string(picture), ">10.00</text>") || strings.Contains(string(picture), `width="940"`) {
		t.Errorf("the bar of ten times lean should end at %d times and say 10.00\n%s", longest, picture)
	}
}

func TestThePageKeepsWhatIsAroundTheMarkers(t *testing.T) {
	docs := t.TempDir()
	page := filepath.Join(docs, "performance.md")
	with := func(users, sessions string) string {
		return "# Title\n<!-- measured: users -->\n" + users + "<!-- end -->\ntext\n<!-- measured: sessions -->\n" +
			sessions + "<!-- end -->\nlast\n"
	}
	err := os.WriteFile(page, []byte(with("old\n", "")), 0o600)
	if err := errors.Join(err, os.Mkdir(filepath.Join(docs, "images"), 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := write(docs, map[string]string{"users": "U\n", "sessions": "S\n"}, testRows()); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(page)
	if expected := with("U\n", "S\n"); err != nil || string(written) != expected {
		t.Errorf("the page is %q (%v), expected %q", written, err, expected)
	}
	err = write(docs, map[string]string{"shares": ""}, testRows())
	if err == nil || !strings.Contains(err.Error(), "<!-- measured: shares -->") {
		t.Errorf("a page without the marker is the error %v", err)
	}
}

func TestThousandsAreSeparated(t *testing.T) {
	for n, expected := range map[int]string{7: "7", 999: "999", 1000: "1,000", 1000000: "1,000,000"} {
		if got := thousands(n); got != expected {
			t.Errorf("%d is written as %s, expected %s", n, got, expected)
		}
	}
}

func TestWrongFlags(t *testing.T) {
	err := run(t.Context(), []string{"--rounds", "0"}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "1 or more") {
		t.Errorf("no rounds are the error %v", err)
	}
}
