package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

var tokenChecks = []Check{
	{"lifetime.offset", "Time", "The lifetime of tokens is longer than the time by which the library renews early",
		"RFC 6749 §5.1", SignIn, aboutApp, (*view).lifetime},
	{"lifetime.pace", "Time", "The app renews once in the lifetime of a token",
		"RFC 6749 §5.1", Renew, aboutRenewal, (*view).pace},
	{"clock.app", "Time", "App and provider agree on the time",
		"RFC 7519 §4.1.4", Fetch, aboutApp, (*view).clock},
}

func rounded(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(time.Second)
}

func (v *view) lifetime() verdict {
	e := v.tokens
	if e == nil {
		return notSeen("")
	}
	life, offset := e.record.Lifetime(), v.Library.Offset()
	switch text, short := e.told(oidc.TokenShortLived); {
	case offset.Offset > 0 && life <= offset.Offset:
		return fails(e, "expires_in is %.0f s; the default of %s is to renew %.0f s before the end (%s)", life.Seconds(),
			v.Library.Name, offset.Offset.Seconds(), offset.Setting).because(oidc.TokenShortLived)
	case offset.Offset > 0:
		return holds(e, "expires_in is %.0f s; the default of %s is to renew %.0f s before the end (%s)", life.Seconds(),
			v.Library.Name, offset.Offset.Seconds(), offset.Setting).inferring("Your app may have set another time")
	case v.Library.Renews != "":
		return holds(e, "expires_in is %.0f s. %s: %s", life.Seconds(), v.Library.Name, v.Library.Renews)
	case short:
		seen, inferred := whole(text)
		return fails(e, "%s", seen).because(oidc.TokenShortLived).inferring(inferred)
	case len(trace.RenewalOffsets(life)) == 0:
		return holds(e, "expires_in is %.0f s, longer than the known times: %s", life.Seconds(), trace.RenewalOffsets(0))
	}
	return cannotSee("expires_in is %.0f s, and the library of the app is not known. Defaults: %s",
		life.Seconds(),
		trace.RenewalOffsets(0))
}

// pace compares the times of the renewals of one browser.
func (v *view) pace() verdict {
	var renewals []*event
	for _, f := range v.flows {
		if r := &f.Records[0]; r.Renews() && (len(renewals) == 0 || r.RenewsLike(renewals[0].record)) {
			renewals = append(renewals, &event{f, r})
		}
	}
	if len(renewals) == 0 {
		return notSeen("")
	}
	newest := renewals[0]
	if text, ok := newest.told(oidc.RenewalLooping); ok {
		return v.loop(newest, text)
	}
	var between []string
	for i, e := range renewals[1:min(len(renewals), 6)] {
		between = append(between, rounded(renewals[i].record.At.Sub(e.record.At)).String())
	}
	if len(between) == 0 {
		return notSeen("one renewal was seen, and the check needs two")
	}
	slices.Reverse(between)
	found := holds(newest, "the last %d renewals came %s apart", len(between)+1, strings.Join(between, ", "))
	if v.tokens != nil {
		found.seen += fmt.Sprintf("; expires_in is %.0f s", v.tokens.record.Lifetime().Seconds())
	}
	return found
}

// loop is the verdict about renewals that the trace calls a loop. If they were only early, the trace infers a fixed
// time before the end, and names each library with such a default; here the library may be known.
func (v *view) loop(e *event, text string) verdict {
	seen, inferred := whole(text)
	known := v.Library.Offset()
	switch {
	case inferred == "", v.Library.Name == Other:
	case known.Offset == 0:
		return e.verdict(CannotSee, "%s", []any{seen}).inferring("The default of " + v.Library.Name + " is no fixed " +
			"time before the end. A page that renews at each load, and was loaded again and again, looks the same as a loop")
	case strings.Contains(inferred, known.Name):
		inferred = fmt.Sprintf("The default of %s is to renew %.0f s before the end (%s), as long as the lifetime or nearly "+
			"so. A page that renews at each load looks the same", v.Library.Name, known.Offset.Seconds(), known.Setting)
	default:
		inferred = fmt.Sprintf("By default %s renews %.0f s before the end (%s), so it has another setting, or the app "+
			"renews by itself, such as at each load of a page", v.Library.Name, known.Offset.Seconds(), known.Setting)
	}
	return fails(e, "%s", seen).because(oidc.RenewalLooping).inferring(inferred)
}

func (v *view) clock() verdict {
	moved := v.newest(func(r *trace.Record) bool { return r.Reason == string(oidc.ClockSkew) })
	told := v.newest(func(r *trace.Record) bool { return r.Endpoint == "clock" })
	switch {
	case told != nil && told.record.Reason == "":
		return holds(told, "the app reported a difference of %s", rounded(told.record.ClockOffset))
	case moved != nil && (told != nil || v.flows[0] == moved.flow):
		text, _ := moved.told(oidc.ClockSkew)
		return fails(moved, "%s", text).because(oidc.ClockSkew)
	}
	return v.clockOfServer()
}

// maxSkew is the difference of clocks that the trace reports, too.
const maxSkew = time.Minute

// clockOfServer compares the header Date of a page.
func (v *view) clockOfServer() verdict {
	const inferred = "This is the clock of the app's server. The provider cannot see the clock of the browser"
	p, why := v.fetched(RoleStart)
	switch {
	case p == nil:
		return why
	case !p.HasDate:
		return cannotSee("GET %s: the answer has no Date", p.URL)
	case p.ClockOffset.Abs() > maxSkew:
		return found(Fails, "the Date of %s differs from the provider's time by %s", p.URL, p.ClockOffset).
			because(oidc.ClockSkew).inferring(inferred)
	}
	return found(Holds, "the Date of %s is at most %s from the provider's time", p.URL, maxSkew).inferring(inferred)
}
