package fetch

import (
	"net"
	"testing"
)

func TestWhichAddressesArePublic(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "::ffff:8.8.8.8": true, "172.32.0.1": true,
		"::ffff:10.0.0.1": false, "::127.0.0.1": false, "::ffff:0:7f00:1": false, "192.0.2.1": false, "198.18.0.1": false,
		"240.0.0.1": false, "2001:db8::1": false, "fec0::1": false,
		"192.88.99.1": false, "192.0.0.1": false, "64:ff9b:1::1": false, "100::1": false, "2001::1": false, "3fff::1": false,
		"5f00::1": false, "64:ff9b::808:808": false,
	} {
		to := &net.TCPAddr{IP: net.ParseIP(address), Port: 8443} // a dialer writes the address in the same way
		if err := public.Safe("tcp6", to.String(), nil); (err == nil) != want {
			t.Errorf("%s: %v; want allowed %t", address, err, want)
		}
	}
}
