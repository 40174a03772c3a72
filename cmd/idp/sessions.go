package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/storage"
)

type sessionsCommand struct {
	List listSessionsCommand `cmd:"" help:"${sessions_list}"`
	End  endSessionCommand   `cmd:"" help:"Sign out a session."`
}

type listSessionsCommand struct {
	flags
	User string `help:"${sessions_user}" placeholder:"USER"`
}

// Run prints a line for each session, user by user, the newest first.
func (c listSessionsCommand) Run() error {
	return c.withSessions(func(ctx context.Context, s settings, store engine, manager *session.Manager) error {
		subs, err := s.subs(c.User)
		if err != nil {
			return err
		}
		list, err := sessionsOf(ctx, manager, subs)
		if err != nil {
			return err
		}
		if len(list) == 0 && c.User != "" {
			fmt.Println("There is no session of the sub", subs[0])
			return nil
		}
		printSessions(list, manager)
		return nil
	})
}

type endSessionCommand struct {
	flags
	ID string `arg:"" help:"${sessions_id}"`
}

// Run ends the session. Every provider on the store notices it with the browser's next request.
func (c endSessionCommand) Run() error {
	return c.withSessions(func(ctx context.Context, s settings, store engine, manager *session.Manager) error {
		id, _, isSID := strings.Cut(c.ID, ".")
		found, err := manager.Sessions.Get(ctx, id)
		var gone []session.Ended
		switch {
		case errors.Is(err, storage.ErrNotFound):
			return errors.New("no such session is in this store (any more): " +
				"`idp sessions list` shows IDs, and the sid of a token names one too")
		case err != nil:
			return err
		case !found.EndedAt.IsZero():
			fmt.Println("It was signed out already, at", moment(found.EndedAt))
			return nil
		case !isSID:
			gone, err = manager.End(ctx, id)
		case !slices.ContainsFunc(found.Accounts, func(a session.Account) bool { return a.SID == c.ID }):
			return errors.New("the session is there, but no account with this sid is in it (any more): " +
				"give the part before the dot to end the whole session")
		default:
			gone, err = manager.SignOutSID(ctx, c.ID)
		}
		if err != nil {
			return err
		}
		fmt.Println("Signed out.")
		return s.tell(ctx, store, gone)
	})
}

// tell sends logout tokens by the back channel, as the provider would, and prints the results. The provider's keys are
// in the store, sealed with its cookie_keys.
func (s *settings) tell(ctx context.Context, store engine, gone []session.Ended) error {
	if !slices.ContainsFunc(gone, func(e session.Ended) bool { return len(e.Clients) > 0 }) {
		return nil
	}
	if len(s.CookieKeys) == 0 {
		fmt.Println("Its apps were not told: the logout tokens can only be signed with the provider's cookie_keys.")
		return nil
	}
	provider, err := idp.New(s.Config, idp.Dependencies{
		Store: store, Durable: true, Propagation: store.propagation, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	defer provider.Close(ctx)
	for _, sent := range provider.SignedOut(ctx, gone) {
		if sent.Err != nil {
			fmt.Printf("%s could not be told: %v\n", sent.Client.ClientID, sent.Err)
			continue
		}
		fmt.Printf("%s was told.\n", sent.Client.ClientID)
	}
	return nil
}

// withSessions calls do with the sessions in the store.
func (f flags) withSessions(do func(context.Context, settings, engine, *session.Manager) error) error {
	s, err := f.settings()
	if err != nil {
		return err
	}
	ctx := context.Background()
	store, err := s.openExisting(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = store.close() }()
	return do(ctx, s, store, idp.StoredSessions(s.Config, store, time.Now))
}

// subs returns the subs of all configured users, or that of the user called name.
func (s *settings) subs(name string) ([]string, error) {
	directory, err := users.New(s.Users)
	if err != nil {
		return nil, err
	}
	if name != "" {
		if user, ok := directory.ByName(name); ok {
			return []string{user.Sub}, nil
		}
		return []string{name}, nil
	}
	var subs []string
	for _, user := range directory.All() {
		subs = append(subs, user.Sub)
	}
	return subs, nil
}

// listed is a session, and the subs it was found by.
type listed struct {
	session.Session
	subs []string
}

// sessionsOf returns the sessions of subs, each once.
func sessionsOf(ctx context.Context, manager *session.Manager, subs []string) ([]listed, error) {
	var all []listed
	for _, sub := range subs {
		found, err := manager.Of(ctx, sub)
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			if i := slices.IndexFunc(all, func(l listed) bool { return l.ID == s.ID }); i >= 0 {
				all[i].subs = append(all[i].subs, sub)
				continue
			}
			all = append(all, listed{s, []string{sub}})
		}
	}
	return all, nil
}

func printSessions(list []listed, manager *session.Manager) {
	rows := [][]string{{"ID", "STATE", "STARTED", "LAST SEEN", "BROWSER", "USERS"}}
	for _, l := range list {
		subs := l.Subs()
		if len(subs) == 0 {
			subs = l.subs // a session that ended has no subs
		}
		rows = append(rows, []string{l.ID, manager.State(l.Session), moment(l.StartedAt), moment(l.LastSeen),
			cmp.Or(l.Browser, "-"), strings.Join(subs, ", ")})
	}
	printTable(rows...)
}
