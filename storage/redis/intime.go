package redis

import (
	"context"

	"github.com/redis/rueidis"
)

// do sends a command.
func (s *Store) do(ctx context.Context, command rueidis.Completed) rueidis.RedisResult {
	return inTime(ctx, func() rueidis.RedisResult { return s.client.Do(ctx, command) })
}

// inTime lets a call of the client end with ctx. Most do by themselves; but who finds no connection waits for the one who is making
// it, and that takes as long as the other's ctx and a server that accepts connections and says nothing let it.
func inTime(ctx context.Context, call func() rueidis.RedisResult) rueidis.RedisResult {
	if ctx.Err() != nil {
		return rueidis.NewErrorResult(ctx.Err())
	}
	answered := make(chan rueidis.RedisResult, 1)
	go func() { answered <- call() }()
	select {
	case result := <-answered:
		return result
	case <-ctx.Done():
		return rueidis.NewErrorResult(ctx.Err())
	}
}
