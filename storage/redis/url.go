package redis

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

var defaultPorts = map[string]string{"": "6379", "cluster": "6379", "sentinel": "26379"} // by kind

// target contains the parts of a URL.
type target struct {
	kind           string // "", "sentinel" or "cluster"
	hosts          []string
	user, password string
	database       int
	primary        string // its name in Sentinel
	tls            *tls.Config

	sentinelUser, sentinelPassword string
}

var errURL = errors.New(`the URL of the Redis store cannot be used; write one of
  redis://[user:password@]host[:port][/database]
  redis+sentinel://[user:password@]host[:port][,host[:port]…]/primary-name[/database]
                [?sentinel_user=…&sentinel_password=…]
  redis+cluster://[user:password@]host[:port][,host[:port]…]
or rediss in place of redis for TLS; special characters in a name or a password have to be percent-encoded`)

// wrong returns an error about a URL. It never shows the URL, which may contain a password in any place.
func wrong(format string, values ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, values...), errURL)
}

// form is the parts of a URL: TLS, kind, user and password, hosts, path, query. net/url knows no list of hosts, and its
// errors show the URL.
const form = `(?s)^redis(s?)(?:\+(sentinel|cluster))?://(?:([^/?]*)@)?([^/?]*)/?([^?]*)\??(.*)$`

// Check returns an error if Open would refuse the URL itself. It asks no server.
func Check(url string) error {
	_, err := parse(url)
	return err
}

func parse(text string) (target, error) {
	parts := regexp.MustCompile(form).FindStringSubmatch(text) // once in a process
	if parts == nil {
		return target{}, wrong("it begins with something else than redis:// or rediss://")
	}
	kind := parts[2]
	user, password, err1 := readUser(parts[3])
	hosts, err2 := readHosts(kind, parts[4])
	primary, database, err3 := readPath(kind, parts[5])
	query, err4 := readQuery(kind, parts[6])
	t := target{
		kind: kind, hosts: hosts, user: user, password: password, primary: primary, database: database,
		sentinelUser: query.Get("sentinel_user"), sentinelPassword: query.Get("sentinel_password"), tls: tlsConfig(parts[1]),
	}
	return t, cmp.Or(err1, err2, err3, err4)
}

func tlsConfig(secure string) *tls.Config {
	if secure == "" {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12}
}

func readUser(text string) (user, password string, err error) {
	user, password, _ = strings.Cut(text, ":")
	user, err1 := url.PathUnescape(user)
	password, err2 := url.PathUnescape(password)
	if err1 != nil || err2 != nil {
		err = wrong("the user or the password has a %% that encodes nothing")
	}
	return user, password, err
}

func readHosts(kind, list string) (hosts []string, err error) {
	for host := range strings.SplitSeq(list, ",") {
		name, port, err := net.SplitHostPort(host)
		if err != nil { // it has no port, or is no address
			name, port = strings.Trim(host, "[]"), defaultPorts[kind]
		}
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil || number == 0 || name == "" || strings.ContainsAny(name, "@/ []") ||
			strings.Contains(name, ":") && net.ParseIP(name) == nil {
			return nil, wrong("a host is not of the form host:port")
		}
		hosts = append(hosts, net.JoinHostPort(name, port))
	}
	if kind == "" && len(hosts) > 1 {
		return nil, wrong("there are several hosts, which only redis+cluster:// and redis+sentinel:// can have")
	}
	return hosts, nil
}

func readPath(kind, path string) (primary string, database int, err error) {
	if kind == "cluster" && path != "" {
		return "", 0, wrong("a Cluster has no databases, so nothing may follow its hosts")
	}
	if kind == "sentinel" {
		primary, path, _ = strings.Cut(path, "/")
		if primary, err = url.PathUnescape(primary); err != nil || primary == "" {
			return "", 0, wrong("the name by which Sentinel knows the primary is missing after the hosts")
		}
	}
	if path != "" {
		if database, err = strconv.Atoi(path); err != nil || database < 0 {
			return "", 0, wrong("the database is not a number")
		}
	}
	return primary, database, nil
}

func readQuery(kind, text string) (url.Values, error) {
	query, err := url.ParseQuery(text)
	if err != nil {
		return nil, wrong("the part behind the ? cannot be read")
	}
	for name := range query {
		if kind != "sentinel" || name != "sentinel_user" && name != "sentinel_password" {
			return nil, wrong("it has parameters behind the ? that are not known")
		}
	}
	return query, nil
}
