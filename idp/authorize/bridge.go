package authorize

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"

	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// Activation is the answer to a silent request from a cross-site iframe without the session cookie. The browser may
// keep the cookie from the iframe, so the provider asks for it, once, before it answers the client:
//
//	Sec-Fetch-Storage-Access: inactive ─► 401, Activate-Storage-Access: retry ─► the browser sends the request again
//	none, or no such header ─► a page asks by document.requestStorageAccess() ─► /authorize?interaction=…
//
// Nothing is stored. Requests without Fetch Metadata are answered at once.
// https://privacycg.github.io/storage-access-headers/
type Activation struct {
	Origin string // of the verified redirect_uri: no other page may frame the answer or make the browser retry
	Bridge string // the address to which the page leads; empty: the browser has to retry
}

// accessParam is the name of the parameter with the browser's answer.
const accessParam = "storage_access"

// crossedBridge always holds. It shows the observer the parameters of a request that comes back.
var crossedBridge = oidc.Table[Unpacked]{{
	Spec: "Storage Access API", Text: "the parameters are those of the request before the bridge",
	Holds: func(Unpacked) bool { return true },
}}

// activation returns how the browser is asked for the cookies; nil: the request has them, or asking is of no use. It
// is asked once for each request.
func (e *Endpoint) activation(r *http.Request, s *Situation) (*Activation, error) {
	access, origin := r.Header.Get(session.HeaderStorageAccess), pages.FramingOrigin(s.RedirectURI)
	asking := asker(r)
	isHidden := s.Prompt.Has(oidc.PromptNone) && s.Absence == session.Withheld && session.Missing(r) == session.Withheld
	switch {
	case !isHidden, s.Bridged, origin == "":
		return nil, nil
	case asking != "" && asking != origin: // it may not frame the page, and nobody would get an answer
		return nil, nil
	case access == session.AccessInactive && r.Header.Get("Origin") == origin: // missing where the app's server redirected
		note(r, trace.AsksRetry, "the user gave the application access to the cookies of this provider "+
			"(Sec-Fetch-Storage-Access: inactive): the browser is told to send the request again with them")
		return &Activation{Origin: origin}, nil
	}
	bridge, err := e.bridge(r, s)
	note(r, trace.AsksBridge, fmt.Sprintf("no cookie came in a cross-site iframe (Sec-Fetch-Storage-Access: %s): a page "+
		"without any interface asks the browser for access, by document.requestStorageAccess()", cmp.Or(access, "not sent")))
	return &Activation{Origin: origin, Bridge: bridge}, err
}

// asker returns the origin of the page that opened the iframe; "": the browser does not say it. Firefox sends
// "Origin: null" for a page whose Referrer-Policy is no-referrer.
func asker(r *http.Request) string {
	if origin := r.Header.Get("Origin"); origin != "" && origin != "null" {
		return origin
	}
	return oidc.Origin(r.Header.Get("Referer"))
}

func note(r *http.Request, asks, text string) {
	recorder := trace.From(r.Context())
	recorder.Set(func(record *trace.Record) { record.Asks = asks })
	recorder.Emit(trace.Step{Kind: trace.KindSession, Spec: "Storage Access Headers", Text: text, Outcome: trace.Noted})
}

// bridge returns the address of the same request, sealed, so that it can neither be changed nor ask again. A pushed
// request is not read again, and not spent yet.
func (e *Endpoint) bridge(r *http.Request, s *Situation) (string, error) {
	sealed, err := e.Interactions.Close(session.Interaction{
		Params: s.Params, StartedAt: s.StartedAt, ClientID: s.Client.ClientID, FromObject: s.FromObject,
		RequestURI: s.RequestURI, Bridged: true,
	})
	trace.From(r.Context()).Join(trace.Interaction, sealed)
	return session.InteractionURL(Path, sealed), err
}

// activate writes the answer that an Activation describes.
func (e *Endpoint) activate(w http.ResponseWriter, a *Activation) error {
	w.Header().Set("Vary", session.HeaderStorageAccess+", Origin")
	if a.Bridge == "" {
		w.Header().Set(session.HeaderActivate, fmt.Sprintf("retry; allowed-origin=%q", a.Origin))
		session.SetChallenge(w, e.Issuer)
		w.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	page, err := e.Pages.Bridge(pages.Frame{Issuer: e.Issuer}, a.Bridge+"&"+accessParam+"=")
	if err != nil {
		return err
	}
	return e.Pages.Render(w, http.StatusOK, page, pages.Policy{FramedBy: a.Origin, Script: page.Script})
}

// crossed returns a request that comes from the bridge with the browser's answer.
func (e *Endpoint) crossed(r *http.Request, params url.Values) *http.Request {
	answer := r.Form.Get(accessParam)
	_ = crossedBridge.Judge(r.Context(), Unpacked(params)) // it always holds
	if answer == session.AccessGranted {
		trace.Emit(r.Context(), trace.Step{Kind: trace.KindSession, Spec: "Storage Access API", Outcome: trace.OK,
			Text: "the browser gave the hidden iframe access to the cookies of this provider"})
	}
	return session.WithAccess(r, answer)
}
