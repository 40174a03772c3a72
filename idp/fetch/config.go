package fetch

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"os"
	"time"

	"github.com/hush-idp/hush/oidc"
)

// Config is fetch: in the configuration, how the provider requests what clients name.
type Config struct {
	// AllowPrivate allows loopback, private and link-local addresses, and http. nil: on a loopback issuer in
	// development mode only.
	AllowPrivate *bool `yaml:"allow_private"`
	// CAFile is a PEM file of certificate authorities that are trusted besides those of the system.
	CAFile string `yaml:"ca_file"`
	// Timeout is the time for one request with its answer. Zero: 5 seconds.
	Timeout time.Duration `yaml:"timeout"`
}

// WithDefaults returns c with what it leaves open filled in.
func (c Config) WithDefaults(development bool) Config {
	if c.AllowPrivate == nil {
		c.AllowPrivate = &development
	}
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	return c
}

// Check reports what is wrong with c. It reads CAFile.
func (c Config) Check(report oidc.Report) {
	report.AtMost("timeout", c.Timeout, time.Minute)
	_, err := c.roots()
	report.When(err != nil, "ca_file", "%v", err)
}

func (c Config) private() bool { return c.AllowPrivate != nil && *c.AllowPrivate }

// roots are the system's certificate authorities and those of the file; nil is the system's.
func (c Config) roots() (*x509.CertPool, error) {
	if c.CAFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate: write a PEM file with CERTIFICATE blocks", c.CAFile)
	}
	return roots, nil
}
