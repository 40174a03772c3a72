package main

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/bench/process"
)

func TestARedisOfTheProgramEndsWithIt(t *testing.T) {
	server, err := startRedis(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if server.pid == 0 {
		t.Fatal("this test needs redis-server: make install installs it")
	}
	if took, err := process.CPU(server.pid); took <= 0 || err != nil {
		t.Errorf("its processor time is %s, %v", took, err)
	}
	server.end()
	if _, err := net.Dial("tcp", strings.TrimPrefix(server.url, "redis://")); err == nil {
		t.Errorf("after the end a server listens at %s", server.url)
	}
}

func TestWhatRedisTakesIsToldInTheUnitOfTheTable(t *testing.T) {
	unit := &subject{rounds: []round{roundOf(10, time.Millisecond)}}
	one := &subject{rounds: []round{roundOf(10, 2*time.Millisecond)}, store: 1}
	two := &subject{rounds: []round{roundOf(10, 2500*time.Microsecond)}, store: 1}
	one.rounds[0].store, two.rounds[0].store = 5*time.Millisecond, 6*time.Millisecond
	got := redisText([]*subject{unit, one, two})
	for _, expected := range []string{"takes 0.50 of", "and 0.60 with", "do 1.6 times"} {
		if !strings.Contains(got, expected) {
			t.Errorf("the text has no %q: %s", expected, got)
		}
	}
	if got := redisText([]*subject{unit, unit}); got != "" {
		t.Errorf("without Redis the text is %q", got)
	}
}
