package main

import (
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// taken is a program that listens at the host, and its port.
func taken(t *testing.T, host string) (port string) {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	return port
}

// saidAtStart is the log of a program that ends after its first answer. It is complete, because the program has ended.
func saidAtStart(t *testing.T, listen, issuer string) string {
	t.Helper()
	p := startServing(t, binary(t), "--listen", listen, "--issuer", issuer)
	response, err := http.Get("http://" + listen + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	p.signal(t, syscall.SIGTERM)
	p.exit(t)
	return p.stderr.String()
}

// localhost is 127.0.0.1 and ::1, and a browser tries both.
func TestAnotherProgramAtTheOtherAddressOfLocalhostIsReported(t *testing.T) {
	for _, row := range []struct{ name, other, listen, issuer, says string }{
		{"the other one at ::1", "::1", "127.0.0.1", "localhost", "another program listens at [::1]:"},
		{"the other one at 127.0.0.1", "127.0.0.1", "::1", "localhost", "another program listens at 127.0.0.1:"},
		{"a name under localhost", "::1", "127.0.0.1", "idp.localhost", "another program listens at [::1]:"},
		{"an issuer at an address", "::1", "127.0.0.1", "127.0.0.1", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			port := taken(t, row.other)
			said := saidAtStart(t, net.JoinHostPort(row.listen, port), "http://"+row.issuer+":"+port)
			if !strings.Contains(said, row.says) || row.says == "" && strings.Contains(said, "another program") {
				t.Errorf("it said %s\n; want %q", said, row.says)
			}
		})
	}
	address := freeAddress(t, "127.0.0.1")
	_, port, _ := net.SplitHostPort(address)
	if said := saidAtStart(t, address, "http://localhost:"+port); strings.Contains(said, "another program") {
		t.Errorf("without another program it said %s", said)
	}
}
