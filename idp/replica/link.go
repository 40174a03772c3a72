package replica

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/trace"
)

const (
	topic  = "console"
	waits  = 256     // messages that wait to be told; of ordinary ones, 2 MB
	tooBig = 1 << 20 // bytes of a message that nobody needs to read
)

// Link tells other replicas what happens at this one. A nil Link tells nothing.
type Link struct {
	bus   storage.Bus
	seal  seal
	own   string
	queue chan message
}

// message is what travels, as JSON, sealed.
type message struct {
	From    string        `json:"from"`
	Flow    *trace.Shared `json:"flow,omitempty"`
	Changed bool          `json:"changed,omitempty"` // what replicas keep views of: storage.Cell
}

// Ears are who hears other replicas. They are called one at a time, and must not wait for anything.
type Ears struct {
	Flow    func(trace.Shared)
	Changed func()
}

// New returns the link of a replica among those on the bus that have one of the secrets; the first secret seals. own differs from
// every other replica's.
func New(bus storage.Bus, secrets [][]byte, own string) (*Link, error) {
	if len(secrets) == 0 {
		return nil, errors.New("replica: without a secret that all replicas have nothing can be told")
	}
	s, err := newSeal(secrets)
	if err != nil {
		return nil, err
	}
	return &Link{bus: bus, seal: s, own: own, queue: make(chan message, waits)}, nil
}

// Tell lets the other replicas hear of a flow, soon or not at all. It does not wait, and s must not be changed afterwards.
func (l *Link) Tell(s trace.Shared) { l.say(message{Flow: &s}) }

// Changed lets the other replicas read again what they keep views of, soon or not at all. It does not wait.
func (l *Link) Changed() { l.say(message{Changed: true}) }

func (l *Link) say(m message) {
	if l == nil {
		return
	}
	select {
	case l.queue <- m:
	default:
	}
}

// Run tells what waits to be told, and lets ears hear the others, until ctx ends or the bus is closed.
func (l *Link) Run(ctx context.Context, ears Ears) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go l.speak(ctx)
	_ = l.bus.Subscribe(ctx, topic, func(sealed []byte) { l.hear(sealed, ears) }) // it ends with ctx or the bus
}

// speak publishes. While the store is away each message costs what the bus waits for it, and nobody else waits.
func (l *Link) speak(ctx context.Context) {
	for {
		select {
		case m := <-l.queue:
			m.From = l.own
			if text, err := json.Marshal(m); err == nil && len(text) <= tooBig {
				_ = l.bus.Publish(ctx, topic, l.seal.close(text)) // no promise was made
			}
		case <-ctx.Done():
			return
		}
	}
}

// hear opens what another replica said. What cannot be read is for others, or of another version.
func (l *Link) hear(sealed []byte, ears Ears) {
	text, ok := l.seal.open(sealed)
	var m message
	if !ok || json.Unmarshal(text, &m) != nil || m.From == l.own {
		return
	}
	if m.Changed {
		ears.Changed()
	}
	if m.Flow != nil {
		ears.Flow(*m.Flow)
	}
}
