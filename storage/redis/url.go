package redis

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

const (
	serverPort   = "6379"
	sentinelPort = "26379"
)

// target is what a URL says.
type target struct {
	kind           string // "", "sentinel" or "cluster"
	hosts          []string
	user, password string
	database       int
	primary        string // the name that Sentinel knows it by

	sentinelUser, sentinelPassword string

	tls *tls.Config
}

var errURL = errors.New(`the URL of the Redis store cannot be used; write one of
  redis://[user:password@]host[:port][/database]
  redis+sentinel://[user:password@]host[:port][,host[:port]…]/primary-name[/database]
                [?sentinel_user=…&sentinel_password=…]
  redis+cluster://[user:password@]host[:port][,host[:port]…]
or rediss in place of redis for TLS; special characters in a name or a password have to be percent-encoded`)

// wrong says what is wrong with a URL, never showing it: it may hold a password, in a place where none is looked for.
func wrong(format string, values ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, values...), errURL)
}

// parse is done by hand because net/url knows no list of hosts, and because its errors show the URL.
func parse(text string) (target, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return target{}, wrong("there is no ://")
	}
	var t target
	secure, kind, ok := schemeOf(scheme)
	if !ok {
		return target{}, wrong("it begins with something else than redis:// or rediss://")
	}
	if t.kind = kind; secure {
		t.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	rest, query, _ := strings.Cut(rest, "?")
	authority, path, _ := strings.Cut(rest, "/")
	if at := strings.LastIndex(authority, "@"); at >= 0 {
		if err := t.readUser(authority[:at]); err != nil {
			return target{}, err
		}
		authority = authority[at+1:]
	}
	return t, errors.Join(t.readHosts(authority), t.readPath(path), t.readQuery(query))
}

func schemeOf(scheme string) (secure bool, kind string, ok bool) {
	base, kind, compound := strings.Cut(scheme, "+")
	if base != "redis" && base != "rediss" || compound && kind != "sentinel" && kind != "cluster" {
		return false, "", false
	}
	return base == "rediss", kind, true
}

func (t *target) readUser(text string) error {
	user, password, _ := strings.Cut(text, ":")
	var err1, err2 error
	t.user, err1 = url.PathUnescape(user)
	t.password, err2 = url.PathUnescape(password)
	if err1 != nil || err2 != nil {
		return wrong("the user or the password has a %% that encodes nothing")
	}
	return nil
}

func (t *target) readHosts(list string) error {
	fallback := serverPort
	if t.kind == "sentinel" {
		fallback = sentinelPort
	}
	for host := range strings.SplitSeq(list, ",") {
		name, port, err := net.SplitHostPort(host)
		if err != nil { // it has no port, or is no address
			name, port = strings.Trim(host, "[]"), fallback
		}
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil || number == 0 || name == "" || strings.ContainsAny(name, "@/ []") ||
			strings.Contains(name, ":") && net.ParseIP(name) == nil {
			return wrong("a host is not of the form host:port")
		}
		t.hosts = append(t.hosts, net.JoinHostPort(name, port))
	}
	if t.kind == "" && len(t.hosts) > 1 {
		return wrong("there are several hosts, which only redis+cluster:// and redis+sentinel:// can have")
	}
	return nil
}

func (t *target) readPath(path string) (err error) {
	database := path
	switch t.kind {
	case "cluster":
		if path != "" {
			return wrong("a Cluster has no databases, so nothing may follow its hosts")
		}
	case "sentinel":
		name, rest, _ := strings.Cut(path, "/")
		if t.primary, err = url.PathUnescape(name); err != nil || name == "" {
			return wrong("the name by which Sentinel knows the primary is missing after the hosts")
		}
		database = rest
	}
	if database != "" {
		if t.database, err = strconv.Atoi(database); err != nil || t.database < 0 {
			return wrong("the database is not a number")
		}
	}
	return nil
}

func (t *target) readQuery(text string) error {
	query, err := url.ParseQuery(text)
	if err != nil {
		return wrong("the part behind the ? cannot be read")
	}
	if t.kind == "sentinel" {
		t.sentinelUser, t.sentinelPassword = query.Get("sentinel_user"), query.Get("sentinel_password")
		query.Del("sentinel_user")
		query.Del("sentinel_password")
	}
	if len(query) > 0 {
		return wrong("it has parameters behind the ? that are not known")
	}
	return nil
}
