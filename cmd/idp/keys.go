package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hush-idp/hush/idp/keys"
)

type keysCommand struct {
	List   listKeysCommand   `cmd:"" help:"${keys_list}"`
	Rotate rotateKeysCommand `cmd:"" help:"${keys_rotate}"`
}

type listKeysCommand struct{ flags }

// Run prints the published keys and the state of each.
func (c listKeysCommand) Run() error {
	return c.withKeys(func(signing *keys.KeySet) error {
		published, err := signing.List(context.Background())
		if err != nil {
			return err
		}
		printKeys(published)
		return nil
	})
}

type rotateKeysCommand struct{ flags }

// Run rotates the keys and prints them.
func (c rotateKeysCommand) Run() error {
	return c.withKeys(func(signing *keys.KeySet) error {
		before, err := signing.List(context.Background())
		if err != nil {
			return err
		}
		if err := signing.Rotate(context.Background()); err != nil {
			return err
		}
		after, err := signing.List(context.Background())
		if err != nil {
			return err
		}
		printKeys(after)
		if !slices.ContainsFunc(after, func(k keys.Published) bool { return !has(before, k.JWK.KeyID) }) {
			fmt.Println("Nothing changed: another rotation happened a moment ago, and this one joined it.")
		}
		return nil
	})
}

func has(published []keys.Published, kid string) bool {
	return slices.ContainsFunc(published, func(k keys.Published) bool { return k.JWK.KeyID == kid })
}

// withKeys calls do with the keys in the store.
func (f flags) withKeys(do func(*keys.KeySet) error) error {
	s, err := f.settings()
	if err != nil {
		return err
	}
	store, err := s.openExisting(context.Background())
	if err != nil {
		return err
	}
	defer func() { _ = store.close() }()
	signing, err := s.storedKeys(store)
	if err != nil {
		return err
	}
	return do(signing)
}

func printKeys(published []keys.Published) {
	rows := [][]string{{"KID", "ALG", "MADE", "STATE"}}
	for _, k := range published {
		rows = append(rows, []string{k.JWK.KeyID, k.JWK.Algorithm, moment(k.CreatedAt), stateOfKey(k, time.Now())})
	}
	printTable(rows...)
}

func stateOfKey(k keys.Published, now time.Time) string {
	switch {
	case k.CreatedAt.IsZero():
		return "signs, from a file"
	case k.Signs && k.RetireAt.IsZero():
		return "signs"
	case k.Signs:
		return "signs until its successor does, verifies until " + moment(k.RetireAt)
	case now.Before(k.SignsAt):
		return "signs from " + moment(k.SignsAt)
	}
	return "verifies until " + moment(k.RetireAt)
}
