package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"time"
)

// sampling is the time between two looks at the provider's memory.
const sampling = 100 * time.Millisecond

// memoryWatch samples the memory of one process until it is stopped.
type memoryWatch struct {
	pid     int
	quit    chan struct{}
	samples chan []int
}

// watchMemory starts to sample the resident memory of process pid; with pid 0
// it samples nothing. The error says that the memory cannot be read.
func watchMemory(pid int) (*memoryWatch, error) {
	w := &memoryWatch{pid: pid, quit: make(chan struct{}), samples: make(chan []int, 1)}
	if pid == 0 {
		w.samples <- nil
		return w, nil
	}
	first, err := residentKiB(pid)
	if err != nil {
		return nil, err
	}
	go w.run(first)
	return w, nil
}

func (w *memoryWatch) run(samples ...int) {
	tick := time.NewTicker(sampling)
	defer tick.Stop()
	for {
		select {
		case <-w.quit:
			w.samples <- samples
			return
		case <-tick.C:
			if kib, err := residentKiB(w.pid); err == nil { // a process that ended shows as errors of kind "no answer"
				samples = append(samples, kib)
			}
		}
	}
}

// stop ends the sampling and returns the samples in KiB, in order. It is called
// once.
func (w *memoryWatch) stop() []int {
	close(w.quit)
	return <-w.samples
}

// residentKiB reads VmRSS of a process: the memory it holds in RAM.
func residentKiB(pid int) (int, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("memory is read from /proc, which Linux has for a running process; check --pid or leave it out: %w", err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), "VmRSS:"); found {
			var kib int
			_, err := fmt.Sscanf(value, "%d kB", &kib)
			return kib, err
		}
	}
	return 0, fmt.Errorf("process %d has no resident memory; it has ended", pid)
}

// flatness is the mean of the last quarter of the samples over the mean of the
// second quarter: about 1 when memory is flat. The first quarter is warming up.
// It is 1 with fewer than four samples.
func flatness(samples []int) float64 {
	quarter := len(samples) / 4
	if quarter == 0 {
		return 1
	}
	return mean(samples[3*quarter:]) / mean(samples[quarter:2*quarter])
}

func mean(samples []int) float64 {
	var sum int
	for _, s := range samples {
		sum += s
	}
	return float64(sum) / float64(len(samples))
}
