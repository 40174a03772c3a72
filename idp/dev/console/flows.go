package console

import (
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

const (
	heartbeat   = 15 * time.Second // proxies close a connection that is silent for longer
	readTimeout = 10 * time.Second // for the client to read one event
)

// events is GET /console/events, a stream of server-sent events: each is a flow as it is now, and the record that
// changed it. The hub or the deadline of the connection drops a client that reads too slowly; EventSource connects
// again. https://html.spec.whatwg.org/multipage/server-sent-events.html
func (e *Endpoint) events(w http.ResponseWriter, r *http.Request) (any, error) {
	watcher := e.Hub.Watch()
	defer watcher.Close()
	s := newStream(w)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	err := s.send(": watching\n\n")
	for err == nil {
		select {
		case data, ok := <-watcher.Events():
			if !ok {
				return nil, nil
			}
			err = s.send("event: flow\ndata: " + string(data) + "\n\n")
		case <-beat.C:
			err = s.send(": still watching\n\n")
		case <-r.Context().Done():
			return nil, nil
		case <-e.Ending:
			return nil, nil
		}
	}
	return nil, nil // the client has gone
}

// stream is an answer without an end. It removes the server's time limits for ordinary answers, and sets a limit for
// each write.
type stream struct {
	w       io.Writer
	control *http.ResponseController
}

func newStream(w http.ResponseWriter) stream {
	s := stream{w, http.NewResponseController(w)}
	_ = s.control.SetReadDeadline(time.Time{}) // fails only for a writer without deadlines
	_ = s.control.SetWriteDeadline(time.Time{})
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	return s
}

func (s stream) send(text string) error {
	late := time.AfterFunc(readTimeout, func() { _ = s.control.SetWriteDeadline(time.Unix(1, 0)) })
	defer late.Stop()
	if _, err := io.WriteString(s.w, text); err != nil {
		return err
	}
	return s.control.Flush()
}

const cookieRecords = 100 // that the history of the cookies has

// cookieList is the answer of GET /console/cookies.
type cookieList struct {
	Records []trace.Record `json:"records"`
}

// cookies is GET /console/cookies: the newest records with cookies, reduced to what became of the cookies.
func (e *Endpoint) cookies(http.ResponseWriter, *http.Request) (any, error) {
	records := []trace.Record{}
	for _, f := range e.Hub.Flows() {
		for _, r := range f.Records {
			if len(r.Cookies) > 0 {
				records = append(records, trace.Record{ID: r.ID, FlowID: r.FlowID, At: r.At, Took: r.Took, Issuer: r.Issuer,
					Endpoint: r.Endpoint, Method: r.Method, Path: r.Path, ClientID: r.ClientID, Silent: r.Silent, Fetch: r.Fetch,
					Cookies: r.Cookies, Status: r.Status})
			}
		}
	}
	slices.SortStableFunc(records, func(a, b trace.Record) int { return b.At.Compare(a.At) })
	return cookieList{records[:min(len(records), cookieRecords)]}, nil
}

// flow is GET /console/flows/{id}, also as a Mermaid sequence diagram or a transcript.
func (e *Endpoint) flow(w http.ResponseWriter, r *http.Request) (any, error) {
	found, ok := e.Hub.Flow(r.PathValue("id"))
	if !ok {
		return nil, oidc.InvalidRequest.Errorf("flow %.50q is not stored, or not any more: GET /console/flows lists "+
			"the stored ones", r.PathValue("id")).
			Because(errAbsent)
	}
	query, _ := oidc.ParseQuery(r.URL.RawQuery)
	switch format := query.Get("format"); format {
	case "":
		return found, nil
	case "mermaid":
		writeText(w, found.Mermaid())
	case "transcript":
		writeText(w, found.Transcript())
	default:
		return nil, oidc.InvalidRequest.Errorf("format %.50q is not known: use mermaid, transcript, or none for JSON", format)
	}
	return nil, nil
}

func writeText(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, text) // fails only if the client has gone
}

// forget is DELETE /console/flows.
func (e *Endpoint) forget(w http.ResponseWriter, _ *http.Request) (any, error) {
	e.Hub.Reset()
	w.WriteHeader(http.StatusNoContent)
	return nil, nil
}
