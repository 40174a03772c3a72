package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// table is the comparison, a line for each provider.
func table(rows []row) string {
	text := "| provider | access token | ES256: CPU ÷ lean | RS256: CPU ÷ lean | ES256: p99 ÷ lean | start | " +
		"memory, ready → after | program |\n" +
		"|---|---|---|---|---|---:|---:|---:|\n"
	for _, r := range rows {
		name := r.name
		if r.hush {
			name = "**" + name + "**"
		}
		one := r.es256
		text += fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %.0f → %.0f MiB | %s |\n", name, r.access,
			r.ratio(es256, rows), r.ratio(rs256, rows), ratios(one.rounds, lean(rows, r.access).es256.rounds, p99),
			duration(one.starts), readyMemory(one), mebibytes(one.peak), programSize(r.binary))
	}
	return text
}

// lean is the row of the base with this kind of access token, or with opaque ones.
func lean(rows []row, access string) row {
	i := slices.IndexFunc(rows, func(r row) bool { return r.name == base && r.access == access })
	if i < 0 {
		return lean(rows, "opaque")
	}
	return rows[i]
}

// of is the subject with the algorithm, nil if there is none.
func (r row) of(algorithm string) *subject {
	if algorithm == rs256 {
		return r.rs256
	}
	return r.es256
}

// ratio is the processor time over that of lean with opaque access tokens, "" if the row has no such algorithm.
func (r row) ratio(algorithm string, rows []row) string {
	if r.of(algorithm) == nil {
		return ""
	}
	return r.spread(algorithm, rows).String()
}

func (r row) spread(algorithm string, rows []row) spread {
	return ratios(r.of(algorithm).rounds, lean(rows, "opaque").of(algorithm).rounds, cpu)
}

func readyMemory(s *subject) float64 {
	return spreadOf(each(s.starts, func(s start) float64 { return mebibytes(s.memory) })).Median
}

func programSize(binary string) string {
	info, err := os.Stat(binary)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%.1f MiB", mebibytes(info.Size()))
}

// conditions says how the tables were measured.
func conditions(s size, rows []row) string {
	unit := func(algorithm string) float64 {
		return spreadOf(each(lean(rows, "opaque").of(algorithm).rounds, cpu)).Median
	}
	return fmt.Sprintf("Measured on %s with %s on %d processors (%s): %d rounds of %s renewals by %d users at once, "+
		"after %s others; %d starts. A renewal at lean with opaque access tokens took %.2f ms of processor time with "+
		"ES256, and %.2f ms with RS256.\n", time.Now().UTC().Format("2 January 2006"), runtime.Version(), runtime.NumCPU(),
		processor(), s.rounds, thousands(s.renewals), concurrency, thousands(s.warmUp), s.starts, unit(es256), unit(rs256))
}

// processor is the name that Linux has for it.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	found := regexp.MustCompile(`model name\s*: (.*)`).FindSubmatch(text)
	if found == nil {
		return runtime.GOARCH
	}
	return string(found[1])
}

// thousands writes 1000000 as 1,000,000.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

// write replaces the texts between the markers of performance.md and writes the plot.
func write(docs string, texts map[string]string, rows []row) error {
	path := filepath.Join(docs, "performance.md")
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	replaced := string(page)
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if replaced, err = replace(replaced, name, texts[name]); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	picture, err := plot(rows)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(docs, "images", "performance.svg"), picture, 0o644); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(replaced), 0o644)
}

const (
	begin = "<!-- measured: %s -->\n"
	end   = "<!-- end -->"
)

// replace puts text in the place of what is between the marker of name and the next end.
func replace(page, name, text string) (string, error) {
	before, rest, found := strings.Cut(page, fmt.Sprintf(begin, name))
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return "", fmt.Errorf("it has no text between "+begin+" and "+end, name)
	}
	return before + fmt.Sprintf(begin, name) + text + end + after, nil
}
