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

	"github.com/spf13/cobra"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/storage"
)

func listSessionsCommand(given flags) *cobra.Command {
	var user string
	c := given.command("list", "Show the sessions that are active, or ended within the last hour, of all users or of one.",
		func(s *settings, _ []string) error { return s.listSessions(user) })
	c.Flags().StringVar(&user, "user", "", "Only sessions of this `USER`: a username, an email address or a sub. The "+
		"user\nneed not be configured.")
	return c
}

// listSessions prints a line for each session, user by user, the newest first. With an empty user it lists the sessions
// of all users.
func (s *settings) listSessions(user string) error {
	return s.withStore(func(ctx context.Context, store engine) error {
		manager := idp.StoredSessions(s.Config, store, time.Now)
		subs, err := s.subs(ctx, manager, user)
		if err != nil {
			return err
		}
		list, subsOf, err := sessionsOf(ctx, manager, subs)
		if err != nil {
			return err
		}
		if len(list) == 0 && user != "" {
			fmt.Println("There is no session of the sub", subs[0])
			return nil
		}
		rows := [][]string{{"ID", "STATE", "STARTED", "LAST SEEN", "BROWSER", "USERS"}}
		for _, found := range list {
			rows = append(rows, []string{found.ID, manager.State(found), moment(found.StartedAt), moment(found.LastSeen),
				cmp.Or(found.Browser, "-"), cmp.Or(strings.Join(found.Subs(), ", "), strings.Join(subsOf[found.ID], ", "))})
		}
		return printTable(rows...)
	})
}

// subs returns the sub of the user called name. With an empty name it returns the subs of all users that may have a
// session, also of users that were removed from the configuration.
func (s *settings) subs(ctx context.Context, manager *session.Manager, name string) ([]string, error) {
	directory, err := users.New(s.Users)
	if err != nil {
		return nil, err
	}
	if user, ok := directory.ByName(name); ok {
		return []string{user.Sub}, nil
	}
	if name != "" {
		return []string{name}, nil
	}
	var subs []string
	for _, user := range directory.All() {
		subs = append(subs, user.Sub)
	}
	recorded, err := manager.UserList.Subs(ctx)
	for _, sub := range recorded {
		if !(*directory.Known.Load())[sub] {
			subs = append(subs, sub)
		}
	}
	return subs, err
}

// sessionsOf returns the sessions of subs, each once, and the subs of each by its ID. An ended session has no subs.
func sessionsOf(ctx context.Context, manager *session.Manager, subs []string) (
	list []session.Session, subsOf map[string][]string, err error) {
	subsOf = map[string][]string{}
	for _, sub := range subs {
		found, err := manager.Of(ctx, sub)
		if err != nil {
			return nil, nil, err
		}
		for _, s := range found {
			if subsOf[s.ID] == nil {
				list = append(list, s)
			}
			subsOf[s.ID] = append(subsOf[s.ID], sub)
		}
	}
	return list, subsOf, nil
}

func endSessionCommand(given flags) *cobra.Command {
	var user string
	c := given.command("end [ID]", "Sign out a session by its ID, an account by the sid of a token, or all of a user.",
		func(s *settings, args []string) error { return s.end(strings.Join(args, ""), user) })
	c.Flags().StringVar(&user, "user", "",
		"End all sessions of this `USER`, all refresh tokens, and the access tokens that the"+
			"\nprovider checks: a username, an email address or a sub. The user need not be configured.")
	return c
}

// end ends the session with this ID, or all access of the user. Every provider on the store applies it from its next
// request on.
func (s *settings) end(id, user string) error {
	if (id == "") == (user == "") {
		return errors.New("give either the ID of a session, or --user USER: all sessions and tokens of the user end")
	}
	return s.withStore(func(ctx context.Context, store engine) error {
		manager := idp.StoredSessions(s.Config, store, time.Now)
		end := func() ([]session.Ended, error) { return endSession(ctx, manager, id) }
		if user != "" {
			end = func() ([]session.Ended, error) { return s.endUser(ctx, store, manager, user) }
		}
		ended, err := end()
		if err != nil {
			return err
		}
		return s.sendLogoutTokens(ctx, store, ended)
	})
}

// endUser ends the sessions of the user called name, and all refresh tokens and access tokens of the user.
func (s *settings) endUser(ctx context.Context, store engine, manager *session.Manager, name string) (
	ended []session.Ended, err error) {
	subs, err := s.subs(ctx, manager, name)
	if err != nil {
		return nil, err
	}
	sub, grants := subs[0], grant.New(s.Refresh, s.CodeLifetime, store, nil, time.Now, nil)
	held, err := grants.Of(ctx, sub)
	if err == nil {
		err = grants.RevokeClient(ctx, sub, grant.AllClients)
	}
	if err != nil {
		return nil, err
	}
	sessions, err := manager.Of(ctx, sub)
	if err != nil {
		return nil, err
	}
	for _, found := range sessions {
		account, _ := found.Account(sub)
		gone, err := manager.SignOutSID(ctx, account.SID)
		if err != nil {
			return nil, err
		}
		ended = append(ended, gone...)
	}
	fmt.Printf("The user with the sub %s was signed out of %d sessions, and %d grants with refresh tokens were revoked.\n",
		sub, len(ended), len(held))
	return ended, nil
}

// endSession ends the session with this ID, or the sign-in of one account if id is a sid.
func endSession(ctx context.Context, manager *session.Manager, id string) (ended []session.Ended, err error) {
	sessionID, _, isSID := strings.Cut(id, ".")
	found, err := manager.Sessions.Get(ctx, sessionID)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, errors.New("no such session is in this store (any more): " +
			"`idp sessions list` shows IDs, and the sid of a token names one too")
	case err != nil:
		return nil, err
	case !found.EndedAt.IsZero():
		fmt.Println("It was signed out already, at", moment(found.EndedAt))
		return nil, nil
	case !isSID:
		ended, err = manager.End(ctx, sessionID)
	case !slices.ContainsFunc(found.Accounts, func(a session.Account) bool { return a.SID == id }):
		return nil, errors.New("the session is there, but no account with this sid is in it (any more): " +
			"give the part before the dot to end the whole session")
	default:
		ended, err = manager.SignOutSID(ctx, id)
	}
	if err == nil {
		fmt.Println("Signed out.")
	}
	return ended, err
}

// sendLogoutTokens sends logout tokens by the back channel, as the provider would, and prints the results. The
// provider's keys are in the store, encrypted with its cookie_keys.
func (s *settings) sendLogoutTokens(ctx context.Context, store engine, ended []session.Ended) error {
	if !slices.ContainsFunc(ended, func(e session.Ended) bool { return len(e.Clients) > 0 }) {
		return nil
	}
	if len(s.CookieKeys) == 0 {
		fmt.Println("No logout token was sent to its apps: signing one takes the provider's cookie_keys.")
		return nil
	}
	provider, err := idp.New(s.Config, idp.Dependencies{
		Store: store, Durable: true, Propagation: store.propagation, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, logoutTimeout)
	defer cancel()
	defer provider.Close(ctx)
	for _, sent := range provider.SignedOut(ctx, ended) {
		if sent.Err != nil {
			fmt.Printf("The logout token could not be sent to %s: %v\n", sent.Client.ClientID, sent.Err)
			continue
		}
		fmt.Printf("The logout token was sent to %s.\n", sent.Client.ClientID)
	}
	return nil
}
