package dev

import (
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hush-idp/hush/idp/dev/console"
	"github.com/hush-idp/hush/idp/endpoint"
)

// demoAge is how long the demo app is believed to run after one of its pages asked the console.
const demoAge = 10 * time.Minute

// demo knows whether the demo app runs. Nobody tells the provider when it starts or ends, and a request to it would
// delay every page. But each page of the demo asks the console as soon as it is open.
type demo struct {
	origins []string // at which it may run
	now     func() time.Time
	last    atomic.Pointer[sighting] // nil: it was not seen yet
}

// sighting is a request of a page of the demo.
type sighting struct {
	origin string
	at     time.Time
}

// notice remembers the request if a page of the demo sent it to the console.
func (d *demo) notice(e endpoint.Endpoint, r *http.Request) {
	if origin := r.Header.Get("Origin"); e.Name == console.Name && slices.Contains(d.origins, origin) {
		d.last.Store(&sighting{origin, d.now()})
	}
}

// url is the address of the demo app; empty: it does not run, as far as the provider knows.
func (d *demo) url() string {
	if last := d.last.Load(); last != nil && d.now().Sub(last.at) < demoAge {
		return last.origin + "/"
	}
	return ""
}
