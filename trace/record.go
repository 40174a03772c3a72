package trace

import (
	"slices"
	"strings"
	"time"
)

const (
	maxLine    = 1000 // characters of a text or an address
	maxCookies = 30   // of one record
)

// fresh tells whether this authorization request came from an application, rather than back from a sign-in page: there
// it is sealed in the parameter interaction.
func (r *Record) fresh() bool {
	return r.Endpoint == "authorize" && (has(r.Params, "client_id") || !has(r.Params, "interaction"))
}

// isReport tells whether the application wrote the record: it is no request to the provider.
func (r *Record) isReport() bool {
	return r.Endpoint == "callback" || r.Endpoint == "api" || r.Endpoint == "clock"
}

// forPerson tells whether a person sees the answer, and may try again when it is an error.
func (r *Record) forPerson() bool {
	return r.Endpoint == "login" || r.Endpoint == "select_account" || r.Endpoint == "consent"
}

// dull tells whether nothing is to be learned from the record: metadata that came as it should.
func (r *Record) dull() bool {
	return (r.Endpoint == "discovery" || r.Endpoint == "jwks") && !r.failed() && r.Reason == ""
}

// failed reports whether the request was refused or not answered.
func (r *Record) failed() bool {
	return r.Error != "" || r.Status >= 400 || r.dropped() || r.Reason == originNotAllowed
}

// dropped tells whether there was no answer at all.
func (r *Record) dropped() bool { return r.Status == 0 && !r.isReport() }

// preflight is what a browser asks before the request itself: https://fetch.spec.whatwg.org/#cors-preflight-request
func (r *Record) preflight() bool { return r.Method == "OPTIONS" }

// answered tells whether the client was answered at its redirect_uri: by a code or by an error, in a redirect or a
// form.
func (r *Record) answered() bool {
	return r.Endpoint == "authorize" && (has(r.Answer, "code") || has(r.Answer, "error"))
}

func (r *Record) redirects() bool { return r.Status >= 300 && r.Status < 400 }

// lost tells whether a silent request ended on a page instead of at the redirect_uri.
func (r *Record) lost() bool {
	return r.Endpoint == "authorize" && r.Silent && !r.dropped() && !r.answered() && !r.redirects()
}

// frame is the lane of the page that made the request.
func (r *Record) frame() Lane {
	if r.Fetch.Dest == "iframe" || r.Silent && r.Fetch.Dest != "document" {
		return LaneIframe
	}
	return LaneBrowser
}

func (r *Record) end() time.Time { return r.At.Add(r.Took) }

// blame finds the reason of a failure where the record does not say it: the last that a step gave. A refusal by CORS is
// a failure, however good the answer is that the browser keeps to itself.
func (r *Record) blame() {
	if r.Reason != "" {
		return
	}
	for _, m := range r.taken {
		step := m.step
		if step.Outcome == Failed && step.Reason != "" && (r.failed() || step.Kind == KindCORS) {
			r.Reason = step.Reason
		}
	}
}

// bound cuts what others wrote.
func (r *Record) bound() {
	texts := []*string{
		&r.ClientID, &r.Method, &r.Path, &r.Origin, &r.Referer, &r.UserAgent, &r.Location, &r.Error, &r.Description,
		&r.Fetch.Site, &r.Fetch.Mode, &r.Fetch.Dest, &r.Fetch.StorageAccess,
	}
	r.Params = r.Params[:min(len(r.Params), maxValues)]
	r.Answer = r.Answer[:min(len(r.Answer), maxValues)]
	r.Cookies = r.Cookies[:min(len(r.Cookies), maxCookies)]
	for i := range r.Cookies {
		texts = append(texts, &r.Cookies[i].Name)
	}
	for _, text := range texts {
		*text = clip(*text, maxLine) // net/http gives each header a string of its own
	}
	r.Path = strings.Clone(r.Path) // but a path is a part of the address, with its query
}

// text is that of the value with this name, or "".
func text(values []Value, name string) string {
	if at := slices.IndexFunc(values, func(v Value) bool { return v.Name == name }); at >= 0 {
		return values[at].Text
	}
	return ""
}

func has(values []Value, name string) bool {
	return slices.ContainsFunc(values, func(v Value) bool { return v.Name == name })
}

// cut shortens a text of our own making.
func cut(text string) string {
	if len(text) <= maxLine {
		return text
	}
	return strings.Clone(head(text, maxLine)) + "…"
}
