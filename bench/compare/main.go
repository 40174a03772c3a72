// Command compare measures Hush and other providers side by side: processor time of a silent renewal, latency, start,
// memory and size of the program. make bench builds them all and runs it.
//
//	start    each provider several times, the time until discovery answers
//	sign in  users through the provider's own forms
//	renew    in rounds: each provider in its turn, each round in another order, each answer checked
//	compare  each round with the round of lean at the same time: median and range of these ratios
//	write    tables into docs/performance.md, and docs/images/performance.svg
//
// Where teaching ends: client and providers share the processors of one machine. So trust ratios, and compare absolute
// numbers of one machine only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are the flags of the command.
type options struct {
	size
	docs string // folder
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "hush-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	began := time.Now()
	rows, err := compare(ctx, folder, o.size)
	if err != nil {
		return err
	}
	texts := map[string]string{"providers": table(rows), "conditions": conditions(o.size, rows)}
	if err := growth(ctx, folder, o.size, texts); err != nil {
		return err
	}
	for _, name := range []string{"conditions", "providers", "sessions", "users", "stores", "shares"} {
		fmt.Fprintln(out, texts[name])
	}
	fmt.Fprintf(out, "took %s\n", time.Since(began).Round(time.Second))
	if o.docs == "" {
		return nil
	}
	return write(o.docs, texts, rows)
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	flags.IntVar(&o.starts, "starts", 7, "starts of each provider")
	flags.IntVar(&o.warmUp, "warm-up", 1000, "renewals of each provider before the first round")
	flags.IntVar(&o.rounds, "rounds", 7, "rounds")
	flags.IntVar(&o.renewals, "renewals", 1000, "renewals of each provider in each round")
	flags.StringVar(&o.docs, "docs", "../docs", "folder of performance.md, whose figures are replaced; empty: none")
	err = flags.Parse(args)
	if err == nil && min(o.starts, o.warmUp, o.rounds, o.renewals) < 1 {
		err = errors.New("each number must be 1 or more")
	}
	return o, err
}

// row is a provider with its subjects. RS256 is nil where no token is signed.
type row struct {
	provider
	es256, rs256 *subject
}

// compare measures all providers with both algorithms.
func compare(ctx context.Context, folder string, s size) ([]row, error) {
	all, err := providers(folder, binaries)
	if err != nil {
		return nil, err
	}
	var rows []row
	var subjects []*subject
	for _, p := range all {
		r := row{provider: p, es256: &subject{provider: p, algorithm: es256}}
		subjects = append(subjects, r.es256)
		if p.access != "" {
			r.rs256 = &subject{provider: p, algorithm: rs256}
			subjects = append(subjects, r.rs256)
		}
		rows = append(rows, r)
	}
	return rows, measure(ctx, folder, s, subjects)
}
