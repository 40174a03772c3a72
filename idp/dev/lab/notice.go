package lab

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"
)

// Notice is one thing that the lab does now. Every page shows it, so that no reader takes it for a real
// failure.
type Notice struct {
	Text  string    `json:"text"`           // a sentence without its end
	Until time.Time `json:"until,omitzero"` // by the real time; zero: no such end
}

// Notices returns the faults that can still happen, the oldest first, and the move of the clock.
func (l *Lab) Notices() []Notice {
	all := []Notice{}
	for _, f := range l.state().Faults {
		all = append(all, Notice{Text: f.sentence(), Until: f.Until})
	}
	if text := l.Clock.sentence(); text != "" {
		all = append(all, Notice{Text: text})
	}
	return all
}

func (f Fault) sentence() string {
	info, _ := f.Fault.info()
	short, _, _ := strings.Cut(info.Text, ", ")
	text := fmt.Sprintf("the provider %s (%s) for %s", short, f.Fault, cmp.Or(f.Client, "any client"))
	switch left := f.Times - f.Used; {
	case f.Times == 0:
		return text
	case left == 1:
		return text + ", at the next request"
	default:
		return fmt.Sprintf("%s, at the next %d requests", text, left)
	}
}

// short is the duration without zeros at its end, such as 10m instead of 10m0s.
func short(d time.Duration) string {
	text := d.Truncate(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// At is the sentence at the real time now, with the time that is left.
func (n Notice) At(now time.Time) string {
	if n.Until.IsZero() {
		return n.Text
	}
	left := n.Until.Sub(now).Round(time.Second)
	return fmt.Sprintf("%s, %d:%02d left", n.Text, int(left.Minutes()), int(left.Seconds())%60)
}

// Active reports whether a fault can still happen or the clock is moved.
func (l *Lab) Active() bool {
	view := l.cell.View()
	return view != nil && (len(view.Faults) > 0 || view.Ahead != 0 || !view.Frozen.IsZero())
}

// TurnOff ends all faults and brings the clock back to the real time.
func (l *Lab) TurnOff() error {
	if err := l.Clear(); err != nil {
		return err
	}
	return l.Clock.Real()
}

type effectsKey struct{}

// effects are what the lab did to one request.
type effects struct {
	clock string // how the clock differed from the real time
	used  []Kind
}

// Observe returns a context that collects what the lab does to a request, for Remark. A lab that does nothing now
// returns ctx.
func (l *Lab) Observe(ctx context.Context) context.Context {
	if !l.Active() {
		return ctx
	}
	return context.WithValue(ctx, effectsKey{}, &effects{clock: l.Clock.sentence()})
}

func note(ctx context.Context, kind Kind) {
	if did, ok := ctx.Value(effectsKey{}).(*effects); ok {
		did.used = append(did.used, kind)
	}
}

// Remark returns what the lab did to the request of ctx, in parentheses, or "" if it did nothing.
func Remark(ctx context.Context) string {
	did, ok := ctx.Value(effectsKey{}).(*effects)
	if !ok || len(did.used) == 0 && did.clock == "" {
		return ""
	}
	var parts []string
	for _, kind := range did.used {
		parts = append(parts, "caused by the fault "+string(kind))
	}
	if did.clock != "" {
		parts = append(parts, did.clock)
	}
	return "(failure lab: " + strings.Join(parts, "; ") + ")"
}
