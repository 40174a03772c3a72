package storage

import "context"

// Bus is what an engine may offer besides Store: a word to every process on it, soon and without a promise. A message may be lost, so
// what must be known is a record; a message only says that it is time to read it again, or what is nice to know.
type Bus interface {
	// Publish sends message to all who subscribe to topic at this moment, the sender too. No order is
	// promised: in a Cluster messages take different ways.
	Publish(ctx context.Context, topic string, message []byte) error

	// Subscribe calls got for each message of topic, one at a time, until ctx ends, and returns ctx.Err(); or until the engine is
	// closed, and returns ErrUnavailable. While the engine is away it waits for its return, and what was published meanwhile is
	// lost. got may keep message. broken is called between calls of got, with the error, each time that messages cannot be received,
	// while Subscribe goes on.
	Subscribe(ctx context.Context, topic string, got func(message []byte), broken func(error)) error
}
