package fetch

import (
	"crypto/x509"
	"fmt"
	"os"
	"time"
)

// Config says how the provider fetches what clients name.
type Config struct {
	// AllowPrivate lets it ask loopback, private and link-local addresses, and http. nil: on a loopback issuer in
	// development mode only.
	AllowPrivate *bool `yaml:"allow_private"`
	// CAFile is a PEM file of certificate authorities that are trusted besides those of the system.
	CAFile string `yaml:"ca_file"`
	// Timeout is that of one request with its answer. Zero: 5 seconds.
	Timeout time.Duration `yaml:"timeout"`
}

// WithDefaults fills in what the configuration leaves open.
func (c Config) WithDefaults(development bool) Config {
	if c.AllowPrivate == nil {
		c.AllowPrivate = &development
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	return c
}

// Check tells problem of all that is wrong with the configuration.
func (c Config) Check(problem func(path, text string)) {
	if c.Timeout < 0 || c.Timeout > time.Minute {
		problem("timeout", fmt.Sprintf("%v is not between 0 and a minute: write a duration such as 5s", c.Timeout))
	}
	if _, err := c.roots(); err != nil {
		problem("ca_file", err.Error())
	}
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
