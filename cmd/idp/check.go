package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"text/template"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/limit"
	"github.com/hush-idp/hush/idp/users"
)

//go:embed *.txt
var textFiles embed.FS

// texts are the outputs of check and serve about settings.
var texts = template.Must(template.ParseFS(textFiles, "*.txt"))

// check prints the settings that serve would use, or all mistakes in them. It reads the files with certificates and
// keys, and opens neither the store nor the port.
func (s *settings) check([]string) error {
	if err := s.checkFiles(); err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	if err := texts.ExecuteTemplate(table, "check.txt", s); err != nil {
		return err
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

// ActiveLimits returns each rate that limits something, with its path.
func (s *settings) ActiveLimits() []string {
	return slices.DeleteFunc(s.Limits.List(),
		func(rate string) bool { return strings.HasSuffix(rate, " "+string(limit.Off)) })
}

// StoreWithoutPassword is the name of the store; the part of a URL before the @ and behind the ? is hidden.
func (s *settings) StoreWithoutPassword() string {
	scheme, rest, isURL := strings.Cut(s.Store, "://")
	if !isURL {
		return s.Store
	}
	rest, query, _ := strings.Cut(rest, "?")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = "[hidden]" + rest[at:]
	}
	if query != "" {
		rest += "?[hidden]"
	}
	return scheme + "://" + rest
}

// PasswordsAreNames tells whether the password of every user is the username.
func (s *settings) PasswordsAreNames() bool {
	return !slices.ContainsFunc(s.Users, func(u users.User) bool { return u.Password != u.Username })
}

// hello prints the provider's addresses and how to sign in. It names the users in development mode only.
func hello(w io.Writer, s settings) error {
	var text bytes.Buffer
	if err := texts.ExecuteTemplate(&text, "hello.txt", &s); err != nil {
		return err
	}
	_, err := text.WriteTo(w) // at once: a program that reads it sees all or nothing
	return err
}
