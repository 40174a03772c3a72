package redis

import (
	"context"
	"time"

	"github.com/redis/rueidis"

	"github.com/hush-idp/hush/storage"
)

const resubscribeAfter = 500 * time.Millisecond

var _ storage.Bus = (*Store)(nil)

// Publish implements storage.Bus.
func (s *Store) Publish(ctx context.Context, topic string, message []byte) error {
	limited, cancel := context.WithTimeout(ctx, CallLimit)
	defer cancel()
	publish := s.client.B().Publish().Channel(s.channel + topic).Message(string(message)).Build()
	return s.fail(ctx, s.do(limited, publish).Error())
}

// Subscribe implements storage.Bus. It has a connection of its own, so that a slow reader keeps no other command waiting, and makes it
// again when it breaks.
func (s *Store) Subscribe(ctx context.Context, topic string, got func([]byte), broken func(error)) error {
	open, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel() // a connection of its own does not end with the others
		select {
		case <-s.ending:
		case <-open.Done():
		}
	}()
	for open.Err() == nil {
		if err := s.receive(open, s.channel+topic, got); err != nil && open.Err() == nil {
			broken(s.fail(open, err))
		}
		pause(open, resubscribeAfter)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.fail(ctx, rueidis.ErrClosing)
}

func (s *Store) receive(ctx context.Context, channel string, got func([]byte)) error {
	own, release := s.client.Dedicate()
	defer release()
	subscribe := s.client.B().Subscribe().Channel(channel).Build()
	return own.Receive(ctx, subscribe, func(m rueidis.PubSubMessage) { got([]byte(m.Message)) })
}

// pause waits, or ends with ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
