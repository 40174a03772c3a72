package trace

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// drawing makes the messages of a flow from its records, in order, and adds messages that the provider cannot see.
type drawing struct {
	flow     Flow
	messages []Message
	frame    Lane      // where the authorization request came from
	reports  []*Record // of the callback page, not yet drawn with an answer
	reported bool      // a report was drawn with an answer
	answered bool      // the client got its answer
	redeemed bool      // there was a token request
	called   bool      // there was an API call
	asks     string    // how the last authorize record asked the browser for its cookies
}

func draw(f Flow) []Message {
	d := &drawing{flow: f, messages: make([]Message, 0, 2*len(f.Records)+4)}
	for i := range f.Records {
		if r := &f.Records[i]; r.Endpoint == "callback" {
			d.reports = append(d.reports, r)
		}
	}
	for i := range f.Records {
		if r := &f.Records[i]; r.Endpoint != "callback" || slices.Contains(d.reports, r) {
			d.record(r)
		}
	}
	d.expect()
	return d.messages
}

// record draws one record by the rules of its endpoint.
func (d *drawing) record(r *Record) {
	switch r.Endpoint {
	case "authorize":
		d.authorize(r)
	case "token":
		d.redeemed = d.redeemed || !r.Preflight()
		d.pair(r, 3, LaneApp, LaneProvider)
	case "userinfo":
		d.called = d.called || !r.Preflight()
		d.pair(r, 4, LaneApp, LaneProvider)
	case "api":
		d.called = true
		d.pair(r, 4, LaneApp, LaneAPI)
	case "callback":
		d.again(r)
	case "clock":
		d.add(Message{
			From: LaneApp, To: LaneProvider, Text: "compares clocks", State: state(r.Reason == clockSkew), At: r.At,
			Record: r.ID, Reason: r.Reason,
		})
	case "discovery", "jwks":
		d.pair(r, 0, LaneApp, LaneProvider)
	default:
		d.pair(r, 0, LaneBrowser, LaneProvider)
	}
}

func (d *drawing) add(m Message) { d.messages = append(d.messages, m) }

// state returns the state of a message that was seen.
func state(failed bool) MessageState {
	if failed {
		return MessageFailed
	}
	return MessageDone
}

// pair draws a request and its answer.
func (d *drawing) pair(r *Record, step int, from, to Lane) {
	d.add(Message{Step: step, From: from, To: to, Text: request(r), State: MessageDone, At: r.At, Record: r.ID})
	d.add(Message{
		Step: step, From: to, To: from, Text: answer(r), State: state(r.failed() || r.lost()), At: r.end(), Took: r.Took,
		Record: r.ID, Reason: r.Reason, Faults: r.faults(),
	})
}

// authorize draws steps 1 and 2 of a renewal, and the callback page's message. A request that comes back from a sign-in
// page, or that the browser sends again, has only step 2.
func (d *drawing) authorize(r *Record) {
	step, again := 0, d.asks == AsksRetry
	d.asks = r.Asks
	if r.Fresh() && !again {
		step, d.frame = 1, r.frame()
		d.open(r)
	}
	d.pair(r, step, cmp.Or(d.frame, LaneBrowser), LaneProvider)
	last := len(d.messages) - 1
	d.blame(r, &d.messages[last-1], &d.messages[last])
	d.messages[last].Step, d.messages[last].Page = 2, r.isPage()
	if r.redirects() && !r.Answered() || r.Asks != "" {
		d.messages[last].Step = 0 // to a sign-in page, or back with the cookies
	}
	if r.Answered() {
		d.answered = true
		d.callback(r)
	}
}

// blame moves reasons from the answer to the request, or removes them, where the answer is not their cause.
func (d *drawing) blame(r *Record, asked, answer *Message) {
	switch {
	case answer.Reason == callbackSilent:
		answer.Reason = "" // the answer was right
	case answer.Reason == callbackNested, answer.Reason == renewalLooping:
		asked.Reason, answer.Reason = answer.Reason, ""
	case r.Nested:
		asked.Reason = callbackNested
	}
}

// open draws how the app began, which the provider can only infer.
func (d *drawing) open(r *Record) {
	text := "opens a hidden iframe on "
	switch {
	case r.Nested:
		text = "the app, started inside the iframe, opens another on "
	case d.frame == LaneBrowser:
		text = "sends the browser to "
	}
	d.add(Message{Step: 1, From: LaneApp, To: d.frame, Text: text + r.Path, State: MessageUnseen, At: r.At})
}

// callback draws the message of the page at the redirect_uri to the app: reported or inferred.
func (d *drawing) callback(r *Record) {
	frame := cmp.Or(d.frame, LaneBrowser)
	m := Message{Step: 3, From: frame, To: LaneApp, State: MessageUnseen, At: r.end(), Text: handover(frame)}
	refused := has(r.Answer, "error")
	if refused {
		m.Text = "tells the app: " + valueOf(r.Answer, "error").Text
	}
	switch report := d.report(); {
	case report != nil:
		m.State, m.Record = state(report.failed() && !refused), report.ID
	case d.silent():
		m.State, m.Reason = MessageFailed, callbackSilent
		m.Text = "should pass the code on, but did not"
	case !refused && !d.everRedeemed():
		m.State = MessageWaiting
	}
	d.add(m)
}

// handover is how a code gets from the callback page to the app.
func handover(frame Lane) string {
	if frame == LaneIframe {
		return "passes the code to its parent"
	}
	return "is back at the app with the code"
}

// report is the next report of the callback page, or nil.
func (d *drawing) report() *Record {
	if len(d.reports) == 0 {
		return nil
	}
	report := d.reports[0]
	d.reported, d.reports = true, d.reports[1:]
	return report
}

// again draws a report without an answer before it: the callback page ran too often, or its flow was dropped.
func (d *drawing) again(r *Record) {
	d.add(Message{
		Step: 3, From: cmp.Or(d.frame, LaneIframe), To: LaneApp, Text: "tells the app", State: state(r.failed()), At: r.At,
		Record: r.ID, Reason: r.Reason,
	})
}

// expect adds the messages that are still to come, and the token request that never came. When the tokens were sent, it
// says nothing of an API call: the provider does not see whether the app used them.
func (d *drawing) expect() {
	if d.frame == "" {
		return
	}
	open := d.flow.State == FlowOpen
	if open && !d.answered {
		d.wait(2, LaneProvider, d.frame, "redirects to redirect_uri with a code")
		d.wait(3, d.frame, LaneApp, handover(d.frame))
	}
	if open && !d.redeemed {
		d.wait(3, LaneApp, LaneProvider, "POST /token: code")
	}
	if d.reported && d.silent() {
		d.wait(3, LaneApp, LaneProvider, "POST /token never came")
		d.last().State, d.last().Reason = MessageFailed, callbackSilent
	}
	if open && !d.called {
		d.wait(4, LaneApp, LaneAPI, "calls the API with the access token")
	}
}

// wait adds the message that is expected next.
func (d *drawing) wait(step int, from, to Lane, text string) {
	d.add(Message{Step: step, From: from, To: to, Text: text, State: MessageWaiting, At: d.last().At})
}

func (d *drawing) last() *Message { return &d.messages[len(d.messages)-1] }

// silent reports whether a code was sent and not redeemed in time.
func (d *drawing) silent() bool {
	return slices.ContainsFunc(d.flow.Reasons, func(k Reasoned) bool { return k.Code == callbackSilent })
}

// everRedeemed reports whether the flow has a token request, before or after the record that is being drawn.
func (d *drawing) everRedeemed() bool {
	return slices.ContainsFunc(d.flow.Records, func(r Record) bool { return r.Endpoint == "token" && !r.Preflight() })
}

// request is the text of a request.
func request(r *Record) string {
	line := strings.TrimSpace(r.Method + " " + r.Path)
	if r.Preflight() {
		return line + " (preflight)"
	}
	var with []string
	switch r.Endpoint {
	case "authorize":
		with = asked(r)
	case "token":
		with = names(r.Params, "refresh_token", "code", "code_verifier", "client_secret", "client_assertion")
	case "revoke", "introspect":
		with = names(r.Params, "token")
	case "userinfo", "api":
		with = []string{"access_token"}
	}
	if len(with) == 0 {
		return line
	}
	return line + ": " + strings.Join(with, ", ")
}

// asked is the most important parts of an authorization request.
func asked(r *Record) []string {
	var with []string
	if r.Silent {
		with = append(with, "prompt=none")
	}
	for _, cookie := range r.Cookies {
		switch {
		case cookie.Session && cookie.Direction == "sent":
			return append(with, "session cookie")
		case cookie.Session && cookie.Direction == "overlooked":
			return append(with, "session cookie (overlooked on purpose)")
		}
	}
	return append(with, "no session cookie")
}

// names returns the wanted names that are among the values.
func names(values []Value, wanted ...string) []string {
	var found []string
	for _, name := range wanted {
		if has(values, name) {
			found = append(found, name)
		}
	}
	return found
}

// answer is the text of an answer.
func answer(r *Record) string {
	status := strconv.Itoa(r.Status)
	switch {
	case r.dropped():
		return "no answer: the connection was dropped"
	case r.Preflight() && r.Withheld():
		return status + ": the browser does not send the request that this preflight announces"
	case r.Withheld():
		return status + ", without CORS headers for " + r.Origin + ": the browser keeps it from the app"
	case r.Answered():
		return status + way(r) + result(r)
	case r.Asks == AsksRetry:
		return status + ": send this again, with the cookies"
	case r.Asks == AsksBridge:
		return status + ": a page that asks the browser for access to the cookies"
	case r.lost():
		return strings.TrimSpace(status + ", a page instead of a redirect " + r.Error)
	case r.redirects():
		return status + " to " + path(r.Location)
	case r.Endpoint == "token" && has(r.Answer, "expires_in"):
		return fmt.Sprintf("%s: tokens, expires_in %s", status, valueOf(r.Answer, "expires_in").Text)
	case r.Status == 0:
		return "no answer: " + r.Error
	}
	return strings.TrimSpace(status + " " + r.Error)
}

// way is how the answer gets to the redirect_uri (OAuth 2.0 Form Post Response Mode:
// https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html).
func way(r *Record) string {
	if r.redirects() {
		return " to redirect_uri: "
	}
	return ", a form that posts itself to redirect_uri: "
}

// result is the parameters at the redirect_uri.
func result(r *Record) string {
	if has(r.Answer, "error") {
		return "error=" + valueOf(r.Answer, "error").Text
	}
	return strings.Join(names(r.Answer, "code", "state", "iss"), ", ")
}

// path is the address without its scheme and host.
func path(uri string) string {
	_, rest, absolute := strings.Cut(uri, "://")
	if at := strings.IndexByte(rest, '/'); absolute && at >= 0 {
		return rest[at:]
	}
	return uri
}
