package storage

import "context"

// Bus is what an engine may offer besides Store: a word to every process on it, soon and without a promise. A message may be lost,
// so what must be known is a record, and the Bus only says that it is time to read it again.
type Bus interface {
	// Publish sends message to all who subscribe to topic at this moment, the sender too.
	Publish(ctx context.Context, topic string, message []byte) error

	// Subscribe calls got for each message of topic, one at a time, until ctx ends; then it returns ctx.Err(). When the engine is
	// away it waits for its return, and what was published meanwhile is lost. got must not keep message.
	Subscribe(ctx context.Context, topic string, got func(message []byte)) error
}
