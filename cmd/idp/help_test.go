package main

import (
	"strconv"
	"strings"
	"testing"

	"github.com/hush-idp/hush/storage/redis/redistest"
)

func TestMistakesOnTheCommandLine(t *testing.T) {
	path := binary(t)
	for name, row := range map[string]struct {
		args []string
		says string
	}{
		"a flag that is spelled wrong":          {[]string{"check", "--liste=127.0.0.1:1"}, "did you mean --listen?"},
		"a flag that no command has":            {[]string{"serve", "--nonsense"}, "idp serve --help lists the flags"},
		"a flag without its value":              {[]string{"check", "--listen"}, "needs an argument: --listen"},
		"a flag of another command":             {[]string{"serve", "--user", "alice"}, "unknown flag: --user"},
		"settings for a command that uses none": {[]string{"hash-password", "--store", "memory"}, "unknown flag: --store"},
		"a command that is spelled wrong":       {[]string{"chek"}, "Did you mean this?\n\tcheck"},
		"a word too many":                       {[]string{"serve", "now"}, "write idp serve"},
		"a word too few":                        {[]string{"token", "alice"}, "write idp token USER CLIENT"},
		"two sessions to end":                   {[]string{"sessions", "end", "a", "b"}, "write idp sessions end [ID]"},
		"a group without its command":           {[]string{"sessions"}, "idp sessions end [ID]"},
		"a group with a command that it lacks":  {[]string{"keys", "delete"}, "idp keys rotate"},
	} {
		if code, said := runToEnd(t, path, row.args...); code != 1 || !strings.Contains(said, row.says) {
			t.Errorf("%s: it ended with %d and said %s; want 1 and %q", name, code, said, row.says)
		}
	}
}

func TestHelpNamesEachFlagWithItsVariable(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"serve", "-h"}, {"help", "sessions", "list"}} {
		code, said := runToEnd(t, binary(t), args...)
		for _, row := range settingFlags {
			if code != 0 || !strings.Contains(said, "--"+row[0]+" ") || !strings.Contains(said, "["+variableOf(row[0])+"]") {
				t.Errorf("%v ended with %d and does not name --%s and its variable:\n%s", args, code, row[0], said)
			}
		}
		if strings.Contains(said, "`") || strings.Contains(said, "true|false") {
			t.Errorf("%v says\n%s", args, said)
		}
	}
}

// The command makes keys in an empty Redis, and refuses a file that is not there (TestWhatNoCommandCanDo).
func TestHelpOfKeysListSaysWhatItMakes(t *testing.T) {
	_, said := runToEnd(t, binary(t), "keys", "list", "--help")
	if !strings.Contains(said, "On an empty Redis this makes them; a file has to be there.") {
		t.Errorf("it says\n%s", said)
	}
}

// A command makes the keys of an empty Redis before the first provider runs there.
func TestKeysListMakesTheKeysOfAnEmptyRedis(t *testing.T) {
	server := redistest.Start(t)
	code, said := runToEnd(t, binary(t), "keys", "list", "--store", server.URL, "--cookie-keys", testSecret)
	if code != 0 || !strings.Contains(said, "RS256") {
		t.Errorf("it ended with %d and said\n%s", code, said)
	}
}

// Package variables are made at each start, before main, whether the command needs them or not. An expression with a
// counted repetition, such as [a-z]{43,128}, would cost a third of the limit.
func TestOurPackagesAllocateLittleBeforeMain(t *testing.T) {
	t.Setenv("GODEBUG", "inittrace=1")
	_, said := runToEnd(t, binary(t), "--version")
	const most = 200 << 10
	packages, total := 0, 0
	for line := range strings.Lines(said) { // init NAME @0.1 ms, 0.2 ms clock, 345 bytes, 6 allocs
		words := strings.Fields(line)
		if len(words) < 8 || words[1] != "main" && !strings.HasPrefix(words[1], "github.com/hush-idp/hush/") {
			continue
		}
		bytes, err := strconv.Atoi(words[7])
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		packages, total = packages+1, total+bytes
	}
	if packages < 10 || total > most {
		t.Errorf("%d packages allocate %d bytes; want at most %d:\n%s", packages, total, most, said)
	}
}
