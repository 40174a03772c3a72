package main

import (
	"fmt"
	"slices"
	"time"
)

// spread is the middle of some numbers and their range.
type spread struct{ Median, Least, Most float64 }

func (s spread) String() string { return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Median, s.Least, s.Most) }

// spreadOf is zero without numbers.
func spreadOf(numbers []float64) spread {
	if len(numbers) == 0 {
		return spread{}
	}
	sorted := slices.Sorted(slices.Values(numbers))
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + median) / 2
	}
	return spread{median, sorted[0], sorted[len(sorted)-1]}
}

// each is f of all elements.
func each[T any](all []T, f func(T) float64) []float64 {
	numbers := make([]float64, len(all))
	for i, one := range all {
		numbers[i] = f(one)
	}
	return numbers
}

// ratios compares a number of rounds with the same number of another subject's rounds, each with the one of its time:
// so what else the machine did then counts in both.
func ratios(of, to []round, number func(round) float64) spread {
	numbers := make([]float64, 0, len(of))
	for i := range min(len(of), len(to)) {
		numbers = append(numbers, number(of[i])/number(to[i]))
	}
	return spreadOf(numbers)
}

// cpu is the processor time of one renewal, in milliseconds.
func cpu(r round) float64 { return milliseconds(r.cpu) / float64(len(r.latencies)) }

// p99 is the smallest latency that 99 % of the renewals did not exceed, in milliseconds.
func p99(r round) float64 {
	sorted := slices.Sorted(slices.Values(r.latencies))
	return milliseconds(sorted[(len(sorted)*99+99)/100-1]) // the rank is rounded up
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }
