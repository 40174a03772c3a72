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
	waits  = 256     // words that wait to be told; of ordinary ones, 2 MB
	tooBig = 1 << 19 // bytes of a word that nobody needs to read; a message with so many is full
)

// Link tells other replicas what happens at this one. A nil Link tells nothing.
type Link struct {
	bus   storage.Bus
	seal  seal
	own   string
	queue chan word
}

// message is what travels, as JSON, sealed: all that waited.
type message struct {
	From  string            `json:"from"`
	Words []json.RawMessage `json:"words"`
}

// word is one thing that happened.
type word struct {
	Flow    *trace.Shared `json:"flow,omitempty"`
	Changed bool          `json:"changed,omitempty"` // what replicas keep views of: storage.Cell
}

// Ears are who hears other replicas. Flow and Changed are called one at a time, and must not wait for anything.
type Ears struct {
	Flow    func(trace.Shared)
	Changed func()
	// State is told when one direction of the link fails, with the error, and with nil when it works again.
	State func(direction string, err error)
}

// The directions of a link.
const (
	Telling = "telling"
	Hearing = "hearing"
)

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
	return &Link{bus: bus, seal: s, own: own, queue: make(chan word, waits)}, nil
}

// Tell lets the other replicas hear of a flow, soon or not at all. It does not wait, and s must not be changed afterwards.
func (l *Link) Tell(s trace.Shared) { l.say(word{Flow: &s}) }

// Changed lets the other replicas read again what they keep views of, soon or not at all. It does not wait.
func (l *Link) Changed() { l.say(word{Changed: true}) }

// say puts w into the queue, in the place of the oldest where that is full.
func (l *Link) say(w word) {
	for l != nil {
		select {
		case l.queue <- w:
			return
		default:
		}
		select {
		case <-l.queue:
		default:
		}
	}
}

// Run tells what waits to be told, and lets ears hear the others, until ctx ends or the bus is closed.
func (l *Link) Run(ctx context.Context, ears Ears) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go l.speak(ctx, direction{name: Telling, tell: ears.State})
	l.listen(ctx, ears)
}

// speak publishes. While the store is away each message costs what the bus waits for it, and nobody else waits.
func (l *Link) speak(ctx context.Context, telling direction) {
	for {
		select {
		case first := <-l.queue:
			if words := l.drain(first); len(words) > 0 {
				telling.is(ctx, l.publish(ctx, words)) // no promise was made
			}
		case <-ctx.Done():
			return
		}
	}
}

// drain is what waits, as far as one message takes it.
func (l *Link) drain(next word) (words []json.RawMessage) {
	for size := 0; ; {
		if text, err := json.Marshal(next); err == nil && len(text) <= tooBig {
			words = append(words, text)
			size += len(text)
		}
		if size >= tooBig {
			return words
		}
		select {
		case next = <-l.queue:
		default:
			return words
		}
	}
}

func (l *Link) publish(ctx context.Context, words []json.RawMessage) error {
	text, err := json.Marshal(message{l.own, words})
	if err != nil {
		return err
	}
	return l.bus.Publish(ctx, topic, l.seal.close(text))
}

func (l *Link) listen(ctx context.Context, ears Ears) {
	hearing := direction{name: Hearing, tell: ears.State}
	_ = l.bus.Subscribe(ctx, topic, func(sealed []byte) { // it ends with ctx or the bus
		hearing.is(ctx, nil)
		l.hear(sealed, ears)
	}, func(err error) { hearing.is(ctx, err) })
}

// hear opens what another replica said. What cannot be read is for others, or of another version.
func (l *Link) hear(sealed []byte, ears Ears) {
	text, ok := l.seal.open(sealed)
	var m message
	if !ok || json.Unmarshal(text, &m) != nil || m.From == l.own {
		return
	}
	for _, text := range m.Words {
		var w word
		if json.Unmarshal(text, &w) != nil {
			continue
		}
		if w.Changed {
			ears.Changed()
		}
		if w.Flow != nil {
			ears.Flow(*w.Flow)
		}
	}
}
