package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/keys"
)

// check prints the settings that serve would use, or all mistakes in them. It reads the files with certificates and
// keys, and opens neither the store nor the port.
func (s *settings) check([]string) error {
	if err := s.checkFiles(); err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, row := range s.rows() {
		fmt.Fprintf(table, "%s\t%s\n", row[0], row[1])
	}
	for _, warning := range s.warnings() {
		fmt.Fprintln(os.Stderr, "warning:", warning)
	}
	return table.Flush()
}

// checkFiles reads the files that serve reads: the certificate, and the signing keys that come from files.
func (s *settings) checkFiles() error {
	var problems idp.Problems
	if s.TLSCert != "" { // a self-signed certificate is made by serve
		if _, err := s.tlsConfig(); err != nil {
			problems = append(problems, idp.Problem{Path: "tls_cert",
				Text: err.Error() + "; name PEM files of a certificate and its key that this user can read"})
		}
	}
	for i, spec := range s.SigningKeys {
		if spec.File == "" {
			continue
		}
		set, err := keys.New([]keys.Spec{spec}, time.Now)
		if err == nil {
			err = set.Ready(context.Background())
		}
		if err != nil {
			problems = append(problems, idp.Problem{Path: fmt.Sprintf("signing_keys[%d].file", i),
				Text: err.Error() + "; name a PEM file (PKCS #8) that this user can read"})
		}
	}
	return s.source.locate(problems, s.flags)
}
