package observe

import "sync"

// series has one metric for each combination of labels that occurred. The library finds a metric only by the text of
// its name and labels, which would have to be written for each request.
type series[L comparable, M any] struct {
	mu    sync.RWMutex
	known map[L]M
	add   func(L) M
}

func newSeries[L comparable, M any](add func(L) M) *series[L, M] {
	return &series[L, M]{known: map[L]M{}, add: add}
}

// with returns the metric with the labels, and adds it at the first time.
func (s *series[L, M]) with(labels L) M {
	s.mu.RLock()
	metric, found := s.known[labels]
	s.mu.RUnlock()
	if found {
		return metric
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if metric, found = s.known[labels]; !found {
		metric = s.add(labels)
		s.known[labels] = metric
	}
	return metric
}
