package lab

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"time"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// Intercept causes the faults of r that need only the request and its answer, inside the middleware that sets headers
// for all answers (CORS, framing). endpoint is named as in trace.Record. It returns the request for the endpoint, whose
// context the decorators need. If handled is true or err is not nil, the fault is the answer and the endpoint is not
// called; the caller renders err, an *oidc.Error, like an error of the endpoint. A dropped connection is a panic with
// http.ErrAbortHandler, which net/http knows.
func (l *Lab) Intercept(w http.ResponseWriter, r *http.Request, endpoint string) (
	next *http.Request, handled bool, err error) {
	if view := l.cell.View(); view == nil || len(view.Faults) == 0 {
		return r, false, nil
	}
	next = r.WithContext(context.WithValue(r.Context(), requestKey{}, newRequestInfo(r, endpoint)))
	// the faults that still let the endpoint answer come first
	for _, kind := range []Kind{Delay, NoCORS, Drop, Status, Error, HTMLPage, FrameOptions} {
		if kind == Error && endpoint == "authorize" {
			continue // an error there goes to the client by redirect: the decorator of sessions causes it
		}
		f, ok := l.Use(next.Context(), kind)
		if !ok {
			continue
		}
		if kind != Delay && kind != NoCORS {
			identify(r)
		}
		if handled, err = f.answer(w, next); handled || err != nil {
			return next, handled, err
		}
	}
	return next, false, nil
}

// identify reads the form instead of the endpoint, so that the trace has the client and the flow of a request that the
// fault ended.
func identify(r *http.Request) {
	_ = oidc.ParseForm(r) // an unreadable rest is ignored
	trace.From(r.Context()).Join(trace.Code, r.PostForm.Get("code"))
}

// answer causes the fault. handled reports that w has the answer.
func (f Fault) answer(w http.ResponseWriter, r *http.Request) (handled bool, err error) {
	h := w.Header()
	switch f.Fault {
	case Delay:
		return !f.wait(w, r), nil
	case NoCORS: // https://fetch.spec.whatwg.org/#http-responses
		h.Del("Access-Control-Allow-Origin")
		h.Del("Access-Control-Allow-Credentials")
		h.Del("Access-Control-Expose-Headers")
		return false, nil
	case Drop:
		panic(http.ErrAbortHandler)
	case Error:
		refused := f.OAuthError()
		if refused.Status() == http.StatusUnauthorized {
			h.Set("WWW-Authenticate", `Basic realm="failure lab"`) // RFC 6749 §5.2, RFC 9110 §11.6.1
		}
		return false, refused
	case HTMLPage:
		h.Del("X-Frame-Options")
		writePage(w, "default-src 'none'")
	case FrameOptions:
		h.Set("X-Frame-Options", "DENY")
		writePage(w, "default-src 'none'; frame-ancestors 'none'")
	default:
		f.fail(w)
	}
	return true, nil
}

// wait returns true after the delay, false if the client has gone before. It removes the server's time limit for the
// answer: a limit shorter than the delay would drop the connection, which is another fault.
func (f Fault) wait(w http.ResponseWriter, r *http.Request) bool {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // fails only for a writer without deadlines
	timer := time.NewTimer(f.Delay.Duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// fail answers with the Status as a proxy would: with text that OAuth clients cannot read.
func (f Fault) fail(w http.ResponseWriter) {
	if f.Status == http.StatusServiceUnavailable || f.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1") // RFC 9110 §10.2.3: in seconds
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, fmt.Sprintf("%d %s (failure lab)", f.Status, http.StatusText(f.Status)), f.Status)
}

// OAuthError is the error of a fault of kind Error.
func (f Fault) OAuthError() *oidc.Error {
	text := cmp.Or(f.Description, "the failure lab answers with this error; nothing is wrong with the request")
	return f.Error.Errorf("%s", text).Blame(oidc.FaultInjected)
}

// page is an answer of a proxy, or of a provider without prompt=none.
//
//go:embed page.html
var page []byte

func writePage(w http.ResponseWriter, policy string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(page) // fails only if the client has gone
}
