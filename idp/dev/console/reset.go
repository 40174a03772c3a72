package console

import (
	"context"
	"net/http"

	"github.com/hush-idp/hush/idp/grant"
)

// reset is POST /console/reset: the provider is as it was at its start, for the next test. All sign-ins, consents and
// tokens of users end without a message to clients; users and clients are those of the configuration; faults, moves of
// the clock and flows are gone. The signing keys stay.
func (e *Endpoint) reset(w http.ResponseWriter, r *http.Request) (any, error) {
	ctx := r.Context()
	for _, step := range []func(context.Context) error{
		e.endEverything,
		func(context.Context) error { return e.Users.Reset() },
		e.Clients.Reset,
		func(context.Context) error { return e.Lab.Reset() },
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	e.Hub.Reset()
	e.Fetcher.Reset()
	w.WriteHeader(http.StatusNoContent)
	return nil, nil
}

// endEverything ends the sessions, consents and tokens of all users, also of users who were removed.
func (e *Endpoint) endEverything(ctx context.Context) error {
	subs, err := e.subs(ctx)
	if err != nil {
		return err
	}
	for _, sub := range subs {
		if err := e.endAllOf(ctx, sub); err != nil {
			return err
		}
	}
	return nil
}

func (e *Endpoint) endAllOf(ctx context.Context, sub string) error {
	sessions, err := e.Sessions.Of(ctx, sub)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		if _, err := e.Sessions.End(ctx, s.ID); err != nil {
			return err
		}
	}
	if err := e.Consents.Records.Delete(ctx, sub); err != nil {
		return err
	}
	return e.Consents.Grants.RevokeClient(ctx, sub, grant.AllClients)
}
