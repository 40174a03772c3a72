package redis

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/redis/rueidis"

	"github.com/hush-idp/hush/storage"
)

// fail returns the error of a call: the error of a cancelled ctx, or an error that unwraps to storage.ErrUnavailable. A
// deadline that passed during the call is both.
func (s *Store) fail(ctx context.Context, err error) error {
	given := ctx.Err()
	switch {
	case err == nil:
		return nil
	case errors.Is(given, context.Canceled):
		return given
	case given != nil:
		return fmt.Errorf("%w: Redis gave no answer in the time there was: %w", storage.ErrUnavailable, given)
	case s.closed.Load():
		return fmt.Errorf("%w: this Redis store is closed", storage.ErrUnavailable)
	}
	return fmt.Errorf("%w: %s", storage.ErrUnavailable, explain(err))
}

// remedies are texts for errors of Redis, by the first word of the error.
var remedies = []struct{ word, text string }{
	{"NOAUTH", "the server wants a password: write it into the URL, redis://user:password@host"},
	{"WRONGPASS", "the server refuses the user or the password of the URL: correct them; " +
		"special characters have to be percent-encoded"},
	{"NOPERM", needACL},
	{"READONLY", "this server is a replica: give the primary's address, or ask Sentinel with redis+sentinel://"},
	{"MISCONF", "the server cannot write to its disk: free space there, or see its log"},
	{"OOM", "the server's memory is full: raise maxmemory"},
	{"LOADING", "the server is reading its data: wait until it has started"},
	{"MASTERDOWN", "this server is a replica that lost its primary: see to the primary"},
	{"CLUSTERDOWN", "the Cluster does not serve all slots: see `redis-cli --cluster check`"},
	{"MOVED", "this server belongs to a Cluster: write redis+cluster:// in the URL"},
	{"CROSSSLOT", "this server belongs to a Cluster: write redis+cluster:// in the URL"},
	{"NOREPLICAS", "the server has fewer replicas than its min-replicas-to-write: see to the replicas"},
	{"BUSY", "a script keeps the server from its work: see `SCRIPT KILL`"},
	{"WRONGTYPE", "a key that begins with hush: is not Hush's: give Hush a database of its own"},
	{"max number of clients", "the server has no connection left: raise maxclients"},
	{"DB index", "the server has no database of that number: correct the end of the URL"},
}

const needACL = "the user may not do what Hush needs: ACL SETUSER name ~hush:* +@read +@write +@scripting " +
	"+@connection +@transaction +role +cluster allows it"

// explain says what went wrong, and what to do if that is known. Errors of Redis contain no password.
func explain(err error) string {
	text := err.Error()
	for _, r := range remedies {
		if strings.HasPrefix(text, r.word) {
			return r.text + " (" + text + ")"
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled),
		errors.Is(err, os.ErrDeadlineExceeded):
		return "Redis gave no answer in time: is it overloaded or stopped, or does a network between drop packets?"
	case errors.Is(err, rueidis.ErrClosing), errors.Is(err, rueidis.ErrDoCacheAborted):
		return "the connection to Redis broke: is the server running?"
	}
	return "Redis cannot be reached: is the server running, and is the address right? (" + text + ")"
}
