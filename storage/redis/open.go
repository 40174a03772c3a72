package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/hush-idp/hush/storage"
)

// The oldest version with SET KEEPTTL and CLIENT TRACKING. Each version of Valkey has them.
const needMajor, needMinor = 6, 2

const notCluster = "this server belongs to no Cluster: write redis:// in the URL"

// Open connects to the Redis or Valkey of the URL, and checks that it can be used.
//
//	redis://[user:password@]host[:port][/database]
//	redis+sentinel://[user:password@]host[:port][,host[:port]…]/primary-name[/database]
//	              [?sentinel_user=…&sentinel_password=…]
//	redis+cluster://[user:password@]host[:port][,host[:port]…]
//
// rediss instead of redis means TLS, with a certificate of an authority that the machine trusts (SSL_CERT_FILE adds
// one). User and password belong to the servers with the data; Sentinels may have others.
//
// An error says what to do and never shows the URL. Open tries once.
func Open(ctx context.Context, url string) (*Store, error) {
	t, err := parse(url)
	if err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	s, err := t.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("redis: at %s: %w", strings.Join(t.hosts, ", "), err)
	}
	return s, nil
}

func (t target) open(ctx context.Context) (*Store, error) {
	client, err := t.connect(ctx)
	if err != nil {
		return nil, err
	}
	s := newStore(client)
	s.isCluster = t.kind == "cluster"
	if err = t.inspect(ctx, s); err != nil {
		_ = s.Close() // it never fails
		return nil, err
	}
	return s, nil
}

// connect makes the client, whose constructor takes no ctx.
func (t target) connect(ctx context.Context) (rueidis.Client, error) {
	type result struct {
		client rueidis.Client
		err    error
	}
	made := make(chan result, 1)
	go func() {
		client, err := rueidis.NewClient(t.options())
		made <- result{client, err}
	}()
	select {
	case r := <-made:
		if r.err != nil {
			return nil, errors.New(t.startFailure(r.err))
		}
		return r.client, nil
	case <-ctx.Done():
		go func() {
			if r := <-made; r.err == nil {
				r.client.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

func (t target) options() rueidis.ClientOption {
	dialer := net.Dialer{Timeout: dialLimit, KeepAlive: pingEvery}
	return rueidis.ClientOption{
		InitAddress: t.hosts,
		TLSConfig:   t.tls,
		Username:    t.user,
		Password:    t.password,
		SelectDB:    t.database,
		ClientName:  "hush",
		Sentinel: rueidis.SentinelOption{
			Dialer: dialer, TLSConfig: t.tls, MasterSet: t.primary, Username: t.sentinelUser, Password: t.sentinelPassword,
			TopologyRefreshInterval: 5 * time.Second,
		},
		ClusterOption:     rueidis.ClusterOption{ShardsRefreshInterval: 10 * time.Second, MaxMovedRedirections: 8},
		ForceSingleClient: t.kind == "",

		Dialer:            dialer,
		ConnWriteTimeout:  pingLimit,
		RetryDelay:        retryDelay,
		CacheSizeEachConn: cacheBytes,
		RingScaleEachConn: ringScale,
		// One connection to each server: the cache needs answers and reports of changed copies in the server's order.
		PipelineMultiplex: -1,
		AlwaysPipelining:  true, // so that the client notices the end of a connection at once
	}
}

// retryDelay makes a read with a broken connection try again for about half a second.
func retryDelay(attempts int, _ rueidis.Completed, _ error) time.Duration {
	if attempts > 5 {
		return -1
	}
	return 10 * time.Millisecond << attempts
}

// inspect refuses a server that is too old, is not of the kind that the URL says, or cannot be used.
func (t target) inspect(ctx context.Context, s *Store) error {
	limited, end := storage.Spend(ctx)
	defer end()
	hello, err := s.client.Do(limited, s.client.B().Arbitrary("HELLO").Build()).AsMap()
	if err != nil {
		return errors.New(t.startFailure(err))
	}
	text := func(name string) string {
		field := hello[name]
		value, _ := field.ToString() // a missing field is empty
		return value
	}
	if !isNewEnough(text("version")) {
		return tooOld("the server is version " + strconv.Quote(text("version")))
	}
	switch mode := text("mode"); {
	case mode == "sentinel":
		return errors.New("this is a Sentinel: write redis+sentinel://…/primary-name in the URL")
	case mode == "cluster" && t.kind != "cluster":
		return errors.New("this server belongs to a Cluster: write redis+cluster:// in the URL")
	case mode != "cluster" && t.kind == "cluster":
		return errors.New(notCluster)
	}
	if err := s.Ping(limited); err != nil { // it writes the record that is read next
		return err
	}
	err = s.client.DoCache(limited, s.client.B().Get().Key(pingKey).Cache(), CacheFor).Error()
	if err != nil && !rueidis.IsRedisNil(err) {
		return errors.New(t.startFailure(err))
	}
	return nil
}

func isNewEnough(version string) bool {
	first, rest, _ := strings.Cut(version, ".")
	second, _, _ := strings.Cut(rest, ".")
	major, err1 := strconv.Atoi(first)
	minor, err2 := strconv.Atoi(second)
	return err1 == nil && err2 == nil && (major > needMajor || major == needMajor && minor >= needMinor)
}

func tooOld(what string) error {
	return fmt.Errorf("%s; Hush needs Redis %d.%d or newer, or Valkey", what, needMajor, needMinor)
}

// startFailure explains errors that happen only at the start, and calls explain for others.
func (t target) startFailure(err error) string {
	text := err.Error()
	switch {
	case errors.Is(err, rueidis.ErrNoCache):
		return tooOld("the server does not know CLIENT TRACKING and RESP3, or does not allow it to this user").Error()
	case errors.Is(err, rueidis.ErrDoCacheAborted): // the cache reads inside MULTI
		return needACL
	case strings.Contains(text, "cluster support disabled"):
		return notCluster
	case strings.Contains(text, "unknown command 'SENTINEL'"):
		return "this server is no Sentinel: give the addresses of Sentinels, or write redis:// in the URL"
	case rueidis.IsRedisNil(err), strings.Contains(text, "No such master"):
		return "Sentinel does not know that name: correct the primary's name at the end of the URL"
	case strings.Contains(text, "tls:"), strings.Contains(text, "x509:"):
		return "TLS with the server fails: SSL_CERT_FILE names a file of authorities to trust (" + text + ")"
	case t.tls != nil && errors.Is(err, context.DeadlineExceeded):
		return "the server does not answer in time: does it serve TLS at this port? redis:// is without"
	}
	return explain(err)
}
