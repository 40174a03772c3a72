package oidc_test

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/hush-idp/hush/oidc"
)

func TestAFormFaultNamesNoAddress(t *testing.T) {
	local := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 7), Port: 8080}
	_, escape := url.ParseQuery("a=%zz")
	for _, row := range []struct {
		name string
		err  error
		says string
	}{
		{
			"a body that did not come in time",
			fmt.Errorf("form: %w", &net.OpError{Op: "read", Net: "tcp", Source: local, Err: os.ErrDeadlineExceeded}),
			"in time",
		},
		{
			"a connection that broke",
			&net.OpError{Op: "read", Net: "tcp", Addr: local, Err: errors.New("connection reset by peer")}, "not whole",
		},
		{"RFC 6749 appendix B a percent sign that stands alone", escape, `"%zz"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := oidc.FormFault(row.err); !strings.Contains(got, row.says) || strings.Contains(got, "10.0.0.7") {
				t.Errorf("FormFault(%v) = %q; want %q, and no address", row.err, got, row.says)
			}
		})
	}
}
