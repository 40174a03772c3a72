package redis_test

import (
	"context"
	"testing"

	"github.com/hush-idp/hush/storage/redis/redistest"
)

func TestMessageReachesTheOtherProcess(t *testing.T) {
	server := redistest.Start(t)
	a, b := open(t, server.URL), open(t, server.URL)
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan string, 100)
	ended := make(chan error, 1)
	go func() { ended <- b.Subscribe(ctx, "topic", func(m []byte) { got <- string(m) }) }()
	heard := func() bool {
		if err := a.Publish(t.Context(), "topic", []byte("hello")); err != nil {
			return false
		}
		return len(got) > 0 && <-got == "hello"
	}
	if !redistest.Eventually(heard) {
		t.Fatal("nothing was heard")
	}
	server.Stop()
	server.Restart()
	for len(got) > 0 {
		<-got
	}
	if !redistest.Eventually(heard) {
		t.Error("after a restart of the server nothing is heard")
	}
	cancel()
	if err := <-ended; err != context.Canceled {
		t.Errorf("Subscribe ended with %v", err)
	}
}
