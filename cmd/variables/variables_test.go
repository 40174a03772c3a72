package variables_test

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/hush-idp/hush/cmd/variables"
)

func TestUnread(t *testing.T) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, name := range []string{"cookie-keys", "tls-cert", "tls-key", "listen"} {
		flags.String(name, "", "")
	}
	hasReader := func(name string) bool { return strings.HasPrefix(name, "HUSH_DEMO_") }
	const none = ""
	for _, row := range []struct{ name, variable, want string }{
		{"a variable of a flag", "HUSH_COOKIE_KEYS=secret", none},
		{"a letter is missing", "HUSH_COOKIE_KEY=secret", "did you mean HUSH_COOKIE_KEYS?"},
		{"a letter is wrong", "HUSH_LISTAN=:8080", "did you mean HUSH_LISTEN?"},
		{"the end is missing", "HUSH_TLS=cert.pem", "did you mean HUSH_TLS_CERT or HUSH_TLS_KEY?"},
		{"it resembles no name", "HUSH_PASSWORD_POLICY=strict", "correct the spelling or remove it"},
		{"without a value it means nothing", "HUSH_COOKIE_KEY= ", none},
		{"without the prefix it is another program's", "COOKIE_KEY=secret", none},
		{"it has another reader", "HUSH_DEMO_LISTEN=:9090", none},
		{"Kubernetes sets the host of a service hush", "HUSH_SERVICE_HOST=10.0.0.11", none},
		{"its port", "HUSH_SERVICE_PORT=8080", none},
		{"its port by name", "HUSH_SERVICE_PORT_HTTPS=8443", none},
		{"its URL", "HUSH_PORT=tcp://10.0.0.11:8080", none},
		{"the URL of each port", "HUSH_PORT_8080_TCP=tcp://10.0.0.11:8080", none},
		{"the address of each port", "HUSH_PORT_8080_TCP_ADDR=10.0.0.11", none},
		{"the host of a service hush-listen", "HUSH_LISTEN_SERVICE_HOST=10.0.0.11", none},
		{"a person writes a number as the port", "HUSH_PORT=8080", "correct the spelling or remove it"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := strings.Join(variables.Unread([]string{row.variable}, "HUSH_", flags, hasReader), "\n")
			name, value, _ := strings.Cut(row.variable, "=")
			switch {
			case row.want == none && got != "":
				t.Errorf("the warning is %q; want none", got)
			case row.want != none && (!strings.Contains(got, row.want) || !strings.Contains(got, name+" ")):
				t.Errorf("the warning is %q; want %q in it, and %s", got, row.want, name)
			case strings.Contains(got, value) && row.want != none:
				t.Errorf("the warning %q shows the value", got)
			}
		})
	}
}
