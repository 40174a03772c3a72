package redis_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/storage/redis"
	"github.com/hush-idp/hush/storage/redis/redistest"
)

func TestUnusableURLIsRefusedAndNeverShown(t *testing.T) {
	for _, url := range []string{
		"", "localhost:6379", "http://hidden@localhost", "redis+ring://localhost", "redis://", "redis://:hidden@",
		"redis://localhost:port", "redis://localhost:70000", "redis://localhost:0", "redis://:hid/den@localhost",
		"redis://:hidd%zzen@localhost",
		"redis://a:1,b:2", "redis://localhost/first", "redis://localhost/-1", "redis://localhost?password=hidden",
		"redis://localhost?%zz",
		"redis+sentinel://a:1,b:2", "redis+sentinel://a/name/x", "redis+sentinel://a/name?password=hidden",
		"redis+cluster://a:1/0",
		"redis+cluster://a:1,", "redis+sentinel:///name", "redis://lo calhost", "redis://a:1:2", "redis://a@b:hidden",
	} {
		_, err := redis.Open(t.Context(), url)
		if err == nil {
			t.Errorf("Open(%q) gave no error", url)
			continue
		}
		if text := err.Error(); !strings.Contains(text, "redis+sentinel://[user") || strings.Contains(text, "hid") {
			t.Errorf("Open(%q) = %v; want the forms that a URL can have, and nothing of this one", url, err)
		}
	}
}

func TestServerThatCannotBeUsedIsRefusedAtTheStart(t *testing.T) {
	plain, guarded := redistest.Start(t), redistest.Start(t, "--requirepass", "the:right/one")
	replica := redistest.Start(t, "--replicaof", strings.Replace(plain.Addr, ":", " ", 1))
	lonely := redistest.Start(t, "--cluster-enabled", "yes", "--cluster-port", port(redistest.FreeAddress(t)))
	tiny := redistest.Start(t, "--maxmemory", "1", "--maxmemory-policy", "noeviction")
	plain.Command("ACL", "SETUSER", "halfway", "on", ">p", "~hush:*", "+@read", "+@write", "+@scripting", "+@connection")
	plain.Command("ACL", "SETUSER", "elsewhere", "on", ">p", "~other:*", "+@all")
	for _, row := range []struct{ name, url, want string }{
		{"nobody listens", "redis://" + redistest.FreeAddress(t), "is the server running"},
		{"a host that does not exist", "redis://nowhere.invalid", "is the address right"},
		{"no password", guarded.URL, "wants a password"},
		{"wrong password", "redis://:hidden@" + guarded.Addr, "correct them"},
		{"wrong user", "redis://hidden:hidden@" + guarded.Addr, "correct them"},
		{"a user who may not use the cache", "redis://halfway:p@" + plain.Addr, "+@transaction"},
		{"a user of other keys", "redis://elsewhere:p@" + plain.Addr, "~hush:*"},
		{"no such database", plain.URL + "/99", "no database of that number"},
		{"a replica", replica.URL, "is a replica"},
		{"a server without TLS", "rediss://" + plain.Addr, "TLS"},
		{"a single server as a cluster", "redis+cluster://" + plain.Addr, "write redis://"},
		{"two of them", "redis+cluster://" + plain.Addr + "," + tiny.Addr, "write redis://"},
		{"a cluster's node as a single server", lonely.URL, "write redis+cluster://"},
		{"a server as a sentinel", "redis+sentinel://" + plain.Addr + "/hush", "is no Sentinel"},
		{"no memory left", tiny.URL, "raise maxmemory"},
		{"older than RESP3", "redis://" + imitate(t, "-ERR unknown command 'HELLO'"), "needs Redis 6.2"},
		{"too old", "redis://" + imitate(t, hello("6.0.16")), `version "6.0.16"; Hush needs Redis 6.2`},
		{"no version at all", "redis://" + imitate(t, hello("new")), `version "new"; Hush needs Redis 6.2`},
	} {
		t.Run(row.name, func(t *testing.T) {
			begin := time.Now()
			store, err := redis.Open(t.Context(), row.url)
			if err == nil {
				_ = store.Close()
				t.Fatal("it is accepted")
			}
			if text := err.Error(); !strings.Contains(text, row.want) || strings.Contains(text, "hidden") {
				t.Errorf("%v; want something with %q", err, row.want)
			}
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("it took %v to say so", took)
			}
		})
	}
}

func TestPasswordUserAndDatabaseOfTheURLAreUsed(t *testing.T) {
	server := redistest.Start(t, "--requirepass", "the:right/one")
	server.Command("ACL", "SETUSER", "hush", "on", ">p@ss", "~hush:*", "+@read", "+@write", "+@scripting",
		"+@connection", "+@transaction")
	for _, url := range []string{
		"redis://:the:right%2Fone@" + server.Addr, "redis://default:the%3Aright%2Fone@" + server.Addr + "/3",
		"redis://hush:p@ss@" + server.Addr,
	} {
		store := open(t, url)
		put(t, store, "session:k", "v")
		wantValue(t, store, "session:k", "v")
		put(t, store, "code:k", "v")
		update(t, store, "code:k", "w")
	}
	if got := server.Command("-n", "3", "EXISTS", "hush:code:k"); got != "1" {
		t.Error("the record is not in database 3")
	}
}

func TestOpenEndsWithItsContext(t *testing.T) {
	server := redistest.Start(t)
	server.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, err := redis.Open(ctx, server.URL); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Open = %v; want the end of the deadline", err)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

func port(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

func hello(version string) string {
	return fmt.Sprintf("%%3\r\n$7\r\nversion\r\n$%d\r\n%s\r\n$5\r\nproto\r\n:3\r\n$4\r\nmode\r\n$10\r\nstandalone",
		len(version), version)
}

// imitate listens where every HELLO gets that answer, and everything else is well.
func imitate(t *testing.T, answer string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go imitateOn(conn, answer)
		}
	}()
	return listener.Addr().String()
}

func imitateOn(conn net.Conn, answer string) {
	defer func() { _ = conn.Close() }()
	for lines := bufio.NewReader(conn); ; {
		var words, length int
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		_, _ = fmt.Sscanf(line, "*%d", &words) // a wrong line makes no words, and so no answer
		var command []string
		for range words {
			header, _ := lines.ReadString('\n')
			_, _ = fmt.Sscanf(header, "$%d", &length)
			word, _ := lines.ReadString('\n')
			command = append(command, strings.TrimSpace(word))
		}
		reply := "+OK"
		if len(command) > 0 && command[0] == "HELLO" {
			reply = answer
		}
		if _, err := conn.Write([]byte(reply + "\r\n")); err != nil {
			return
		}
	}
}
