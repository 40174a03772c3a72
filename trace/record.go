package trace

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

const (
	maxLine    = 1000 // characters of a text or an address
	maxCookies = 30   // of one record
)

// Fresh reports whether an application made this authorization request. A request that comes back from a sign-in page
// is sealed in the parameter interaction.
func (r *Record) Fresh() bool {
	return r.Endpoint == "authorize" && (has(r.Params, "client_id") || !has(r.Params, "interaction"))
}

// isReport reports whether the application wrote the record: it is no request to the provider.
func (r *Record) isReport() bool {
	return r.Endpoint == "callback" || r.Endpoint == "api" || r.Endpoint == "clock"
}

// forPerson reports whether a user sees the answer, and may try again after an error.
func (r *Record) forPerson() bool {
	return r.Endpoint == "login" || r.Endpoint == "select_account" || r.Endpoint == "consent"
}

// isAside reports whether the record belongs to no flow: a successful preflight, or a successful request for metadata.
func (r *Record) isAside() bool {
	return (r.Endpoint == "discovery" || r.Endpoint == "jwks" || r.Preflight()) && !r.failed() && r.Reason == ""
}

// failed reports whether the request was refused or not answered.
func (r *Record) failed() bool {
	return r.Error != "" || r.Status >= 400 && r.Asks == "" || r.dropped() || r.Withheld()
}

// dropped reports whether there was no answer.
func (r *Record) dropped() bool { return r.Status == 0 && !r.isReport() }

// Withheld reports whether the browser keeps the answer from the script that asked, or does not send the request that
// this preflight announces.
func (r *Record) Withheld() bool {
	return r.Reason == originNotAllowed || r.Reason == corsMethod || r.Reason == corsHeader
}

// Preflight reports whether the browser asks for permission to send a request:
// https://fetch.spec.whatwg.org/#cors-preflight-request
func (r *Record) Preflight() bool { return r.Method == "OPTIONS" }

// Answered reports whether the client got a code or an error at its redirect_uri, in a redirect or a form.
func (r *Record) Answered() bool {
	return r.Endpoint == "authorize" && (has(r.Answer, "code") || has(r.Answer, "error"))
}

func (r *Record) redirects() bool { return r.Status >= 300 && r.Status < 400 }

// lost reports whether a silent request ended on a page instead of at the redirect_uri.
func (r *Record) lost() bool { return r.Silent && r.isPage() }

// isPage reports whether an authorization request ended on a page: nothing goes to a redirect_uri, and the browser does
// not come back.
func (r *Record) isPage() bool {
	return r.Endpoint == "authorize" && !r.dropped() && !r.Answered() && !r.redirects() && r.Asks == ""
}

// frame is the lane of the page that made the request.
func (r *Record) frame() Lane {
	if r.Fetch.Dest == "iframe" || r.Silent && r.Fetch.Dest != "document" {
		return LaneIframe
	}
	return LaneBrowser
}

func (r *Record) end() time.Time { return r.At.Add(r.Took) }

// blame copies the reason of the last failed step to the record, unless the record has a reason. A refusal by CORS is a
// failure even with a good answer, because the browser does not give the answer to the application.
func (r *Record) blame() {
	if r.Reason != "" {
		return
	}
	for _, m := range r.taken {
		if m.failed() && m.reason() != "" && (r.failed() || m.kind == KindCORS) {
			r.Reason = m.reason()
		}
	}
}

// faults returns the faults of the failure lab that happened to the request, by their names.
func (r *Record) faults() (names []string) {
	for _, step := range r.Steps {
		if name := valueOf(step.Values, "fault").Text; step.Kind == KindFault && name != "" {
			names = append(names, name)
		}
	}
	return names
}

// hinted returns the client that the parameter id_token_hint was issued to, as the token says; empty without one. Its
// signature is not verified, as client_id is not.
func (r *Record) hinted() string {
	var token struct{ Aud string }
	hint := valueOf(r.Params, "id_token_hint").Decoded
	_, payload, _ := strings.Cut(strings.TrimPrefix(string(hint), undecoded), ".")
	if json.Unmarshal(segment(payload), &token) != nil {
		return ""
	}
	return token.Aud
}

// bound shortens the texts of clients and browsers.
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

// valueOf is the value with this name, empty if there is none.
func valueOf(values []Value, name string) Value {
	if at := slices.IndexFunc(values, func(v Value) bool { return v.Name == name }); at >= 0 {
		return values[at]
	}
	return Value{}
}

func has(values []Value, name string) bool {
	return slices.ContainsFunc(values, func(v Value) bool { return v.Name == name })
}
