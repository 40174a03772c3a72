package limit_test

import (
	"net/http/httptest"
	"testing"

	"github.com/hush-idp/hush/idp/limit"
)

func TestWhereARequestComesFrom(t *testing.T) {
	for _, row := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"the peer, where no proxy is", "203.0.113.7:4711", nil, "203.0.113.7/32"},
		{"anybody can write a header", "203.0.113.7:4711", []string{"198.51.100.1"}, "203.0.113.7/32"},
		{"a trusted proxy is believed", "10.1.2.3:4711", []string{"198.51.100.1"}, "198.51.100.1/32"},
		{"a trusted proxy without the header is the client", "10.1.2.3:4711", nil, "10.1.2.3/32"},
		{
			"what the client wrote stands first and does not count", "10.1.2.3:4711", []string{"1.1.1.1, 198.51.100.1"},
			"198.51.100.1/32",
		},
		{"a proxy before a proxy", "10.1.2.3:4711", []string{"1.1.1.1, 198.51.100.1, 10.9.9.9"}, "198.51.100.1/32"},
		{
			"each proxy adds a header of its own", "10.1.2.3:4711", []string{"1.1.1.1", "198.51.100.1", "10.9.9.9"},
			"198.51.100.1/32",
		},
		{"who is within the trusted network", "10.1.2.3:4711", []string{"10.4.4.4, 10.9.9.9"}, "10.4.4.4/32"},
		{"what cannot be read ends the way back", "10.1.2.3:4711", []string{"198.51.100.1, unknown"}, "10.1.2.3/32"},
		{"an address with a port", "10.1.2.3:4711", []string{"198.51.100.1:1234"}, "198.51.100.1/32"},
		{"RFC 6177 §2 an IPv6 address stands for its network", "[2001:db8:1:2:3:4:5:6]:4711", nil, "2001:db8:1:2::/64"},
		{"RFC 6177 §2 another one of the same", "[2001:db8:1:2:ffff::1]:4711", nil, "2001:db8:1:2::/64"},
		{"an IPv6 address with a zone", "[fe80::1%eth0]:4711", nil, "fe80::/64"},
		{"RFC 4291 §2.5.5.2 an IPv4 address written as IPv6", "[::ffff:203.0.113.7]:4711", nil, "203.0.113.7/32"},
		{
			"RFC 4291 §2.5.5.2 a trusted proxy written as IPv6", "[::ffff:10.1.2.3]:4711", []string{"2001:db8::1"},
			"2001:db8::/64",
		},
		{"a trusted IPv6 proxy", "[fd00::7]:4711", []string{"198.51.100.1"}, "198.51.100.1/32"},
		{"another IPv6 address", "[fd00::8]:4711", []string{"198.51.100.1"}, "fd00::/64"},
		{"a peer without an address", "@", []string{"198.51.100.1"}, "invalid Prefix"},
	} {
		t.Run(row.name, func(t *testing.T) {
			addresses, err := limit.NewAddresses([]string{"10.0.0.0/8", "fd00::7"})
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/token", nil)
			r.RemoteAddr, r.Header["X-Forwarded-For"] = row.peer, row.forwarded
			if got := addresses.Of(r).String(); got != row.want {
				t.Errorf("Of = %s; want %s", got, row.want)
			}
		})
	}
}

func TestAProxyThatNobodyNamed(t *testing.T) {
	for _, row := range []struct {
		name, peer, header string
		want               bool
	}{
		{"a private address that speaks for others", "192.168.1.1:80", "X-Forwarded-For", true},
		{"RFC 7239 by the standard header", "192.168.1.1:80", "Forwarded", true},
		{"a container's network in IPv6", "[fd12::1]:80", "X-Forwarded-For", true},
		{"a private address that does not", "192.168.1.1:80", "Accept", false},
		{"a trusted one", "10.1.2.3:80", "X-Forwarded-For", false},
		{"anybody on the internet", "203.0.113.7:80", "X-Forwarded-For", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			addresses, err := limit.NewAddresses([]string{"10.0.0.0/8"})
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/token", nil)
			r.RemoteAddr = row.peer
			r.Header.Set(row.header, "198.51.100.1")
			if _, got := addresses.Unheard(r); got != row.want {
				t.Errorf("Unheard = %v", got)
			}
		})
	}
}

func TestAProxyThatIsNoAddressIsAnError(t *testing.T) {
	for _, bad := range []string{"", "proxy.internal", "10.0.0.0/33", "10.0.0.1:80"} {
		if _, err := limit.NewAddresses([]string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
