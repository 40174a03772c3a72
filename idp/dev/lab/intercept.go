package lab

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// Intercept stands around an endpoint, inside what sets headers for all answers (CORS, framing). It returns the request
// to go on with, whose context carries what the decorators need. Where handled is true, or err is not nil, the fault is
// the answer and the endpoint is not to be asked; err is an *oidc.Error to be rendered like the endpoint's own. A
// dropped connection is a panic with http.ErrAbortHandler, which net/http knows. endpoint is named as in trace.Record.
func (l *Lab) Intercept(w http.ResponseWriter, r *http.Request, endpoint string) (next *http.Request, handled bool,
	err error) {
	if l.isQuiet() {
		return r, false, nil
	}
	next = r.WithContext(context.WithValue(r.Context(), requestKey{}, newRequestInfo(r, endpoint)))
	for _, e := range edge {
		if e.kind == Error && endpoint == "authorize" {
			continue // an error there goes back to the client by redirect, which Sessions knows how to cause
		}
		f, ok := l.Use(next.Context(), e.kind)
		if !ok {
			continue
		}
		if e.ends {
			identify(r)
		}
		if handled, err = e.happen(f, w, next); handled || err != nil {
			return next, handled, err
		}
	}
	return next, false, nil
}

// identify reads the form in the place of the endpoint, so that the trace knows whose request the fault ended and of
// which flow it is.
func identify(r *http.Request) {
	// a raw semicolon is data, as at the authorization endpoint
	r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, ";", "%3B")
	// what can be read is in the form; the rest nobody will judge
	_ = r.ParseForm()
	trace.From(r.Context()).Join(trace.Code, r.PostForm.Get("code"))
}

// edge are the faults that need no more than the request and its answer, in the order in which they happen: those that
// an answer survives come first.
var edge = []struct {
	kind   Kind
	ends   bool // the endpoint is not asked
	happen func(f Fault, w http.ResponseWriter, r *http.Request) (handled bool, err error)
}{
	{Delay, false, wait},
	{NoCORS, false, hideFromScripts},
	{Drop, true, drop},
	{Status, true, fail},
	{Error, true, refuse},
	{HTMLPage, true, showPage},
	{FrameOptions, true, showUnframablePage},
}

// wait is over when the delay is, or when nobody waits for the answer any more. The server's time limit for an answer,
// which may be shorter, is lifted: it would drop the connection, which is another fault.
func wait(f Fault, w http.ResponseWriter, r *http.Request) (bool, error) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // a writer without deadlines has none to lift
	timer := time.NewTimer(f.Delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return false, nil
	case <-r.Context().Done():
		return true, nil
	}
}

// hideFromScripts takes back what the CORS middleware allowed. https://fetch.spec.whatwg.org/#http-responses
func hideFromScripts(_ Fault, w http.ResponseWriter, _ *http.Request) (bool, error) {
	for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials",
		"Access-Control-Expose-Headers"} {
		w.Header().Del(name)
	}
	return false, nil
}

func drop(Fault, http.ResponseWriter, *http.Request) (bool, error) { panic(http.ErrAbortHandler) }

// fail answers as a proxy would: with text that no client of ours can read.
func fail(f Fault, w http.ResponseWriter, _ *http.Request) (bool, error) {
	if f.Status == http.StatusServiceUnavailable || f.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1") // RFC 9110 §10.2.3: in seconds
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, fmt.Sprintf("%d %s (failure lab)", f.Status, http.StatusText(f.Status)), f.Status)
	return true, nil
}

func refuse(f Fault, w http.ResponseWriter, _ *http.Request) (bool, error) {
	err := f.OAuthError()
	if err.Status() == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="failure lab"`) // RFC 6749 §5.2, RFC 9110 §11.6.1
	}
	return false, err
}

// OAuthError is the error that the fault is about.
func (f Fault) OAuthError() *oidc.Error {
	text := cmp.Or(f.Description, "the failure lab answers with this error; nothing is wrong with the request")
	return f.Error.Errorf("%s", text).Blame(oidc.FaultInjected)
}

// page is what a proxy, or a provider that did not understand prompt=none, might show.
const page = `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>A page under prompt=none</title>
<h1>A page under prompt=none</h1>
<p>The failure lab shows this page where a redirect to the application was expected. In a hidden iframe nobody sees it,
and the application waits until its timer runs out.</p>
</html>
`

func showPage(_ Fault, w http.ResponseWriter, _ *http.Request) (bool, error) {
	w.Header().Del("X-Frame-Options")
	return writePage(w, "default-src 'none'")
}

func showUnframablePage(_ Fault, w http.ResponseWriter, _ *http.Request) (bool, error) {
	w.Header().Set("X-Frame-Options", "DENY")
	return writePage(w, "default-src 'none'; frame-ancestors 'none'")
}

func writePage(w http.ResponseWriter, policy string) (bool, error) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	_, _ = io.WriteString(w, page) // who is not there any more does not read it
	return true, nil
}
