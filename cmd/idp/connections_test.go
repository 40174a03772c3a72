package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// tokenRequest is the beginning of a token request, without its length.
const tokenRequest = "POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"

// slack is how much later than its limit a busy machine may cut a connection.
const slack = 15 * time.Second

// target is a running provider with one user who is signed in.
type target struct {
	address string
	person  *person
}

func newTarget(t *testing.T) target {
	t.Helper()
	address := freeAddress(t, "127.0.0.1")
	startServing(t, binary(t), "--listen", address, "--issuer", "http://"+address, "--log-level", "error")
	return target{address, newPerson(t, address, "alice")}
}

// servesOthers holds that a renewal works, and soon.
func (b target) servesOthers(t *testing.T) {
	t.Helper()
	began := time.Now()
	if b.person.renew(); time.Since(began) > slack {
		t.Errorf("a silent renewal took %v meanwhile", time.Since(began))
	}
}

// dial opens a connection and writes the text.
func (b target) dial(t *testing.T, text string) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", b.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() }) // it may be closed already
	if _, err := io.WriteString(connection, text); err != nil {
		t.Fatal(err)
	}
	return connection
}

// slowRows are clients that never finish what they say.
var slowRows = []struct {
	name, begin string
	drip        string // what comes every tenth of a second
	limit       time.Duration
	answer      string // part of what the provider says before it cuts; empty: it may say nothing
}{
	{"a request line that does not end", "GET /authorize?state=", "x", readTimeout, ""},
	{"headers that do not end", "GET /authorize HTTP/1.1\r\nHost: x\r\n", "X-A: b\r\n", readTimeout, ""},
	{"silence", "", "", readTimeout, ""},
	{"a body that does not come", formHead(1000), "", readTimeout, "400 Bad Request"},
	{"a body that comes in drops", formHead(60000), "a", readTimeout, "400 Bad Request"},
	{"a chunked body that does not end",
		tokenRequest + "Transfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n", readTimeout, "400 Bad Request"},
}

func formHead(length int) string {
	return fmt.Sprintf(tokenRequest+"Content-Length: %d\r\n\r\n", length)
}

func TestSlowClientsAreCutAndOthersServed(t *testing.T) {
	b := newTarget(t)
	var all sync.WaitGroup
	for _, row := range slowRows {
		for range rounds(5, 100) {
			connection := b.dial(t, row.begin)
			all.Go(func() { drip(connection, row.drip) })
			all.Go(func() {
				_ = connection.SetReadDeadline(time.Now().Add(row.limit + slack)) // of a TCP connection it cannot fail
				said, err := io.ReadAll(connection)
				if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
					t.Errorf("%s: still connected after %v", row.name, row.limit+slack)
				}
				if !strings.Contains(string(said), row.answer) || strings.Contains(string(said), "read tcp") {
					t.Errorf("%s: the provider says %q; want %q, and nothing of the network", row.name, said, row.answer)
				}
				_ = connection.Close() // drip notices
			})
		}
	}
	b.servesOthers(t)
	all.Wait()
	b.servesOthers(t)
}

// drip writes text again and again until nobody listens any more.
func drip(connection net.Conn, text string) {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for text != "" {
		<-ticker.C
		if _, err := io.WriteString(connection, text); err != nil {
			return
		}
	}
}

func TestThousandsOfIdleConnectionsKeepNobodyOut(t *testing.T) {
	b := newTarget(t)
	const request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	idle := make([]*bufio.ReadWriter, rounds(2000, 10000))
	for i := range idle {
		connection := b.dial(t, request)
		idle[i] = bufio.NewReadWriter(bufio.NewReader(connection), bufio.NewWriter(connection))
		checkAlive(t, idle[i])
		if i%500 == 0 {
			b.servesOthers(t)
		}
	}
	b.servesOthers(t)
	for _, i := range []int{0, len(idle) / 2, len(idle) - 1} { // they stay open, too
		_, _ = idle[i].WriteString(request) // Flush says whether it went
		if err := idle[i].Flush(); err != nil {
			t.Fatal(err)
		}
		checkAlive(t, idle[i])
	}
}

func checkAlive(t *testing.T, connection *bufio.ReadWriter) {
	t.Helper()
	response, err := http.ReadResponse(connection.Reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("/healthz gives %d, %v", response.StatusCode, err)
	}
}

// badRows are requests that no client should send, and the answers that they get. Answers by number: 0 is a cut
// connection.
var badRows = []struct {
	name, text string
	want       []int
}{
	{"noise", "\x00\x01\x02\xff\r\n\r\n", []int{400}},
	{"RFC 9112 §3 a request line without a version", "GET /\r\n\r\n", []int{400}},
	{"RFC 9112 §3.2 no Host", "GET /healthz HTTP/1.1\r\n\r\n", []int{400}},
	{"RFC 9112 §3.2 two Hosts", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", []int{400}},
	{"RFC 9112 §2.3 a version from the future", "GET / HTTP/9.9\r\nHost: x\r\n\r\n", []int{400, 505}},
	{"RFC 9112 §5.1 a space before the colon", "GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", []int{400}},
	{"RFC 9110 §5.5 a NUL in a header", "GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n", []int{400}},
	{"RFC 9112 §6.3 two lengths", "POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		[]int{400}},
	{"RFC 9112 §6.3 a length below nothing", "POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", []int{400}},
	{"RFC 9112 §6.1 a transfer encoding that there is not",
		"POST /token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", []int{400, 501}},
	{"RFC 9112 §7.1 a chunk whose length is no number", chunked("zz\r\na\r\n0\r\n\r\n"), []int{400}},
	{"RFC 9112 §7.1 a chunk with a huge length", chunked("ffffffffffffffffff\r\na\r\n"), []int{400}},
	{"RFC 9113 §3.4 HTTP/2 without being asked", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{400, 404, 405, 505}},
	{"TLS at a port without", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("r", 200) + "\r\n\r\n",
		[]int{400}},
	{"RFC 6585 §5 headers without end", "GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 2*maxHeaderBytes),
		[]int{431, 0}},
	{"RFC 6585 §5 a hundred thousand headers", "GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A: b\r\n", 100_000),
		[]int{431, 0}},
	{"RFC 9110 §15.5.15 a URL without end", "GET /authorize?state=" + strings.Repeat("a", 2*maxHeaderBytes),
		[]int{414, 431, 0}},
	{"RFC 9110 §15.5.14 a body of a gigabyte", formHead(1 << 30), []int{413}},
	{"RFC 9110 §15.5.14 chunks of more than a request needs",
		chunked(strings.Repeat("2000\r\n"+strings.Repeat("a", 0x2000)+"\r\n", 16) + "0\r\n\r\n"), []int{413}},
	{"a path that climbs", "GET /static/idp/../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", []int{301, 307, 400, 404}},
	{"a path of percent signs", "GET /%%%% HTTP/1.1\r\nHost: x\r\n\r\n", []int{400}},
	{"RFC 9110 §9.3.6 CONNECT", "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n", []int{400, 404, 405}},
	{"RFC 9110 §9.3.8 TRACE", "TRACE / HTTP/1.1\r\nHost: x\r\nCookie: secret=1\r\n\r\n", []int{404, 405}},
	{"a method that nobody knows", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", []int{404, 405}},
}

func chunked(body string) string {
	return tokenRequest + "Transfer-Encoding: chunked\r\n\r\n" + body
}

func TestOversizedAndMalformedHTTPIsRefusedAndOthersServed(t *testing.T) {
	b := newTarget(t)
	for _, row := range badRows {
		t.Run(row.name, func(t *testing.T) {
			for range rounds(3, 100) {
				if status := b.status(t, row.text); !slices.Contains(row.want, status) {
					t.Errorf("%s gives %d; want one of %v", row.name, status, row.want)
				}
			}
			b.servesOthers(t)
		})
	}
}

// status is how the text is answered, 0 if it is cut off without an answer.
func (b target) status(t *testing.T, text string) int {
	t.Helper()
	connection, err := net.Dial("tcp", b.address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(slack)) // of a TCP connection it cannot fail
	_, _ = io.WriteString(connection, text)           // the provider need not read it all
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		t.Fatal("the provider neither answers nor hangs up")
	}
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}
