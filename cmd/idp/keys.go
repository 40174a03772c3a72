package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/keys"
)

// listKeys prints the published keys and the state of each.
func (s *settings) listKeys([]string) error {
	return s.withKeys(func(ctx context.Context, signing *keys.KeySet) error {
		published, err := signing.List(ctx)
		if err != nil {
			return err
		}
		return printKeys(published)
	})
}

// rotateKeys rotates the keys and prints them. Other processes on the store read the new keys a moment later.
func (s *settings) rotateKeys([]string) error {
	err := s.withKeys(rotate)
	if err == nil && s.isRedis() {
		fmt.Println("Each provider that runs on this store publishes these keys within 3 seconds.")
	}
	return err
}

func rotate(ctx context.Context, signing *keys.KeySet) error {
	before, err := signing.List(ctx)
	if err != nil {
		return err
	}
	if err := signing.Rotate(ctx); err != nil {
		return err
	}
	after, err := signing.List(ctx)
	if err != nil {
		return err
	}
	if err := printKeys(after); err != nil {
		return err
	}
	isNew := func(k keys.Published) bool {
		return !slices.ContainsFunc(before, func(old keys.Published) bool { return old.JWK.KeyID == k.JWK.KeyID })
	}
	if !slices.ContainsFunc(after, isNew) {
		fmt.Println("Nothing changed: another rotation happened a moment ago, and this one joined it.")
	}
	return nil
}

// withKeys calls do with the signing keys in the store.
func (s *settings) withKeys(do func(context.Context, *keys.KeySet) error) error {
	return s.withStore(func(ctx context.Context, store engine) error {
		signing, err := idp.StoredKeys(s.Config, store, time.Now, store.propagation)
		if err != nil {
			return err
		}
		return do(ctx, signing)
	})
}

func printKeys(published []keys.Published) error {
	rows := [][]string{{"KID", "ALG", "MADE", "STATE"}}
	for _, k := range published {
		rows = append(rows, []string{k.JWK.KeyID, k.JWK.Algorithm, moment(k.CreatedAt), stateOfKey(k, time.Now())})
	}
	return printTable(rows...)
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
