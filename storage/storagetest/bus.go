package storagetest

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"
)

// Bus is a storage.Bus within one process. The zero Bus works.
type Bus struct {
	mutex       sync.Mutex
	subscribers map[*subscriber]struct{}
}

type subscriber struct {
	topic    string
	messages chan []byte
	ctx      context.Context
}

// Publish implements storage.Bus. It waits for subscribers that are slow.
func (b *Bus) Publish(ctx context.Context, topic string, message []byte) error {
	b.mutex.Lock()
	all := slices.Collect(maps.Keys(b.subscribers))
	b.mutex.Unlock()
	for _, s := range all {
		if s.topic != topic {
			continue
		}
		select {
		case s.messages <- bytes.Clone(message):
		case <-s.ctx.Done():
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Subscribe implements storage.Bus.
func (b *Bus) Subscribe(ctx context.Context, topic string, got func([]byte)) error {
	s := &subscriber{topic, make(chan []byte), ctx}
	b.mutex.Lock()
	if b.subscribers == nil {
		b.subscribers = map[*subscriber]struct{}{}
	}
	b.subscribers[s] = struct{}{}
	b.mutex.Unlock()
	defer b.leave(s)
	for {
		select {
		case message := <-s.messages:
			got(message)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Subscribers are how many there are.
func (b *Bus) Subscribers() int {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return len(b.subscribers)
}

func (b *Bus) leave(s *subscriber) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	delete(b.subscribers, s)
}
