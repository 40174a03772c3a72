package fetch

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"os"
	"time"

	"github.com/hush-idp/hush/oidc"
)

// Config is fetch: in the configuration, for requests to addresses that clients name.
type Config struct {
	// AllowPrivate allows loopback, private and link-local addresses, and http. nil: on a loopback issuer in
	// development mode only.
	AllowPrivate *bool `yaml:"allow_private"`
	// CAFile is a PEM file of certificate authorities that are trusted in addition to the system's.
	CAFile string `yaml:"ca_file"`
	// Timeout is the time for one request with its answer. Zero: 5 seconds.
	Timeout time.Duration `yaml:"timeout"`
}

// WithDefaults returns c with defaults in place of zero values.
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
	_, err := c.Roots()
	report.When(err != nil, "ca_file", "%v", err)
}

func (c Config) private() bool { return c.AllowPrivate != nil && *c.AllowPrivate }

// Roots returns the certificate authorities of the system and of the file; nil: only those of the system.
func (c Config) Roots() (*x509.CertPool, error) {
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
