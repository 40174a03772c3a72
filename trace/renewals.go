package trace

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hush-idp/hush/oidc"
)

// Library is a library that renews a token when Offset is left of its lifetime, unless Setting has another value.
type Library struct {
	Name, Setting string
	Offset        time.Duration
}

// libraries are the known ones, the shortest offset first. Of its 120 s @axa-fr/oidc-client takes away up to 40 s at
// random.
var libraries = []Library{
	{"oidc-client-ts", "accessTokenExpiringNotificationTimeInSeconds", time.Minute},
	{"@axa-fr/oidc-client", "refresh_time_before_tokens_expiration_in_second", 2 * time.Minute},
	{"MSAL", "tokenRenewalOffsetSeconds", 5 * time.Minute},
}

// Libraries are the known libraries that renew a fixed time before the end of a token, the shortest offset first.
func Libraries() []Library { return slices.Clone(libraries) }

// RenewalOffsets lists the known libraries whose renewals begin that long, or longer, before the end of a token, each
// with its default in seconds and the name of its setting.
func RenewalOffsets(least time.Duration) string {
	var list []string
	for _, l := range libraries {
		if l.Offset >= least {
			list = append(list, fmt.Sprintf("%s %.0f s (%s)", l.Name, l.Offset.Seconds(), l.Setting))
		}
	}
	return strings.Join(list, ", ")
}

// Lifetime is the expires_in of a token answer; zero for other records.
func (r *Record) Lifetime() time.Duration {
	if r.Endpoint != "token" {
		return 0
	}
	seconds, _ := strconv.Atoi(valueOf(r.Answer, "expires_in").Text)
	return time.Duration(seconds) * time.Second
}

// shortLived compares the lifetime with the shortest offset, so that tokens that suit one library are not reported to
// all. Where a client renews early again and again, the longest offset counts.
func (h *Hub) shortLived(f *flow, r *Record) finding {
	life, limit := r.Lifetime(), libraries[0].Offset
	if life == 0 || life > limit && h.earlyAgain(f.records[0]) == nil {
		return nil
	}
	return func() string {
		return fmt.Sprintf("expires_in is %.0f s; a client that renews that long before the end, or longer, renews at "+
			"once, again and again. Defaults: %s", life.Seconds(), RenewalOffsets(life))
	}
}

const (
	loopWindow = 5 * time.Second
	loopCount  = 4 // renewals of one renewer within loopWindow
)

// looping looks at the renewals of the same renewer before the flow, when the flow begins, and when a later record has
// found the session. It looks again at requests that came later and were answered earlier.
func (h *Hub) looping(f *flow, r *Record) finding {
	begun := f.records[0]
	if begun.renewer == 0 || r != begun && !f.recognises(r) {
		return nil
	}
	for _, later := range h.flows {
		first := later.records[0]
		if first.renewer != begun.renewer || !later.At.After(f.At) {
			continue
		}
		if found := h.loopOf(first); found != nil {
			later.note(first, renewalLooping, found, first.end())
			h.notice(later, first)
		}
	}
	return h.loopOf(begun)
}

// recognises makes the flow a renewal of the record's session, if its first request came without one: a browser may
// send the cookie only after it was asked for it. What was said of the renewer before is withdrawn.
func (f *flow) recognises(r *Record) bool {
	first := f.records[0]
	if r.session == 0 || first.session != 0 {
		return false
	}
	first.session = r.session
	first.renewer = first.renewerOf()
	f.withdraw(renewalLooping)
	return true
}

// loopOf is the text for one of many renewals, or nil.
func (h *Hub) loopOf(r *Record) finding {
	if early := h.earlyAgain(r); early != nil {
		return early
	}
	n := 0
	for _, f := range h.flows {
		if f.records[0].renewer != r.renewer {
			continue
		}
		if age := r.At.Sub(f.At); age >= 0 && age < loopWindow {
			n++
		}
	}
	if n < loopCount {
		return nil
	}
	return func() string { return fmt.Sprintf("%d renewals of this client and browser within %s", n, loopWindow) }
}

// earlyAgain is the text for a renewal that came early after an early one, or nil. All renewals must have succeeded: a
// client whose renewal, or whose call of an API, failed has another cause to renew.
func (h *Hub) earlyAgain(r *Record) finding {
	if r.renewer == 0 {
		return nil
	}
	var last, one *flow // the renewal before r, and the one before that
	for _, f := range h.flows {
		if f.records[0].renewer != r.renewer || !f.At.Before(r.At) {
			continue
		}
		if last == nil || f.At.After(last.At) {
			last, one = f, last
		} else if one == nil || f.At.After(one.At) {
			one = f
		}
	}
	if one == nil {
		return nil
	}
	earlier, life := one.early(last.records[0])
	later, same := last.early(r)
	if life == 0 || life != same {
		return nil
	}
	return func() string {
		return fmt.Sprintf("tokens live %.0f s, and the last two renewals came %s and %s after the answer before, each of "+
			"which had a token. Inferred: the app renews a fixed time before the end, as long as the lifetime or nearly "+
			"so. That is the default of: %s. A person who renews again and again, or who reloads a page that renews at "+
			"each load (as keycloak-js does with check-sso), and a failed call of an API that the provider does not see, look "+
			"the same", life.Seconds(), earlier.Round(10*time.Millisecond),
			later.Round(10*time.Millisecond), RenewalOffsets(life-max(earlier, later)))
	}
}

// early returns how long after the flow's tokens the next renewal began, and how long the tokens live. Zeros: less than
// three quarters of the life were left (oidc-client-ts renews tokens of 90 s after 30 s), no known library renews such
// tokens at once, or the flow failed.
func (f *flow) early(next *Record) (after, life time.Duration) {
	for _, r := range f.records {
		if l := r.Lifetime(); l > 0 {
			after, life = next.At.Sub(r.end()), l
		}
	}
	longest := libraries[len(libraries)-1].Offset
	if f.State != FlowDone || after < 0 || after > life/4 || life > longest {
		return 0, 0
	}
	return after, life
}

// Renews reports whether the record begins a renewal: a silent authorization request, or a refresh token that a script
// in a browser sent. Servers that send refresh tokens for several users cannot be told apart.
func (r *Record) Renews() bool {
	byToken := r.Endpoint == "token" && r.Fetch.Mode != "" &&
		valueOf(r.Params, "grant_type").Text == "refresh_token"
	return r.Fresh() && r.Silent || byToken
}

// RenewsLike reports whether both records begin renewals of the same client and browser.
func (r *Record) RenewsLike(other *Record) bool { return r.renewer != 0 && r.renewer == other.renewer }

// renewerOf is the same number for all renewals of one client and browser, and zero for a record that begins none. A
// browser is known by its session. Without one, as of an app that loops while its cookies are blocked, User-Agent and
// the origin of the page must do: several people with the same browser and page look like one.
func (r *Record) renewerOf() uint64 {
	if !r.Renews() {
		return 0
	}
	browser := strconv.FormatUint(r.session, 36)
	if r.session == 0 {
		browser = r.UserAgent + " " + cmp.Or(oidc.Origin(r.Origin), oidc.Origin(r.Referer))
	}
	return max(1, sumOf(r.ClientID+" "+browser))
}
