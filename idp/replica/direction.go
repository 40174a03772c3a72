package replica

import "context"

// direction knows whether the link works in this direction, and tells each change.
type direction struct {
	name   string
	tell   func(name string, err error)
	failed bool
}

// is notes how the last try went. That ctx ended is no failure.
func (d *direction) is(ctx context.Context, err error) {
	if ctx.Err() != nil || d.failed == (err != nil) {
		return
	}
	d.failed = err != nil
	d.tell(d.name, err)
}
