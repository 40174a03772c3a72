package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/storage"
)

type sessionsCommand struct {
	List listSessionsCommand `cmd:"" help:"Show the newest sessions. Development mode keeps this list; without it end sessions by their sid."`
	End  endSessionCommand   `cmd:"" help:"Sign out a session, wherever its browser is."`
}

type listSessionsCommand struct{ flags }

// Run prints the sessions that the provider remembered to list and that are still stored, the newest first.
func (c listSessionsCommand) Run() error {
	return c.withSessions(func(ctx context.Context, s settings, store shared) error {
		ids, err := sessionIndex(ctx, store)
		if err != nil {
			return err
		}
		if ids == nil && !s.Development() {
			return errors.New("no list of sessions is in this store: providers in development mode keep one; " +
				"without it, `idp sessions end SID` ends the session that the sid of an ID token names")
		}
		return s.printSessions(ctx, storage.NewBucket[session.Session]("session", store), ids)
	})
}

type endSessionCommand struct {
	flags
	ID string `arg:"" help:"ID from the list, which ends the whole session, or the sid of a token, which signs that one account out."`
}

// Run ends the session. Every provider on the store hears of it with the browser's next request.
func (c endSessionCommand) Run() error {
	return c.withSessions(func(ctx context.Context, _ settings, store shared) error {
		manager := &session.Manager{Sessions: storage.NewBucket[session.Session]("session", store), Now: time.Now}
		id, _, isSID := strings.Cut(c.ID, ".")
		s, err := manager.Sessions.Get(ctx, id)
		switch {
		case errors.Is(err, storage.ErrNotFound):
			return errors.New("no such session is in this store (any more): `idp sessions list` shows IDs, and the sid of a token names one too")
		case err != nil:
			return err
		case !s.EndedAt.IsZero():
			fmt.Println("It was signed out already, at", moment(s.EndedAt))
			return nil
		case !isSID:
			err = manager.End(ctx, id)
		case !slices.ContainsFunc(s.Accounts, func(a session.Account) bool { return a.SID == c.ID }):
			return errors.New("the session is there, but no account with this sid is in it (any more): give the part before the dot to end the whole session")
		default:
			err = manager.SignOutSID(ctx, c.ID)
		}
		if err == nil {
			fmt.Println("Signed out.")
		}
		return err
	})
}

// withSessions does something with the sessions in the store.
func (f flags) withSessions(do func(context.Context, settings, shared) error) error {
	s, err := f.settings()
	if err != nil {
		return err
	}
	ctx := context.Background()
	store, err := s.openShared(ctx)
	if err != nil {
		return err
	}
	defer store.close()
	return do(ctx, s, store)
}

// sessionIndex are the ids that the console wrote down (idp/console), the newest first; nil: it never did.
func sessionIndex(ctx context.Context, store storage.Store) ([]string, error) {
	ids, err := storage.NewBucket[[]string]("session-index", store).Get(ctx, "all")
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	return ids, err
}

func (s *settings) printSessions(ctx context.Context, sessions storage.Bucket[session.Session], ids []string) error {
	rows := [][]string{{"ID", "STATE", "STARTED", "LAST SEEN", "USERS"}}
	for _, id := range ids {
		found, err := sessions.Get(ctx, id)
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		rows = append(rows, []string{id, s.stateOfSession(found, time.Now()), moment(found.StartedAt), moment(found.LastSeen), strings.Join(found.Subs(), ", ")})
	}
	printTable(rows...)
	return nil
}

// stateOfSession is what the session's own cookie would find, in the words of the console.
func (s *settings) stateOfSession(found session.Session, now time.Time) string {
	switch {
	case !found.EndedAt.IsZero():
		return "signed_out"
	case !now.Before(found.StartedAt.Add(s.Session.Absolute)):
		return "expired"
	case !now.Before(found.LastSeen.Add(s.Session.Idle)):
		return "idle"
	}
	return "signed_in"
}
