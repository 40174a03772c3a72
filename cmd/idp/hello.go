package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/hush-idp/hush/oidc"
)

// hello says where to look and how to sign in.
func hello(w io.Writer, s settings) {
	fmt.Fprintf(w, "Hush is the OpenID provider %s (listening at %s)\n", s.Issuer, s.Listen)
	fmt.Fprintf(w, "  metadata  %s/.well-known/openid-configuration\n", s.Issuer)
	fmt.Fprintf(w, "  sign in   %s/%s\n", s.Issuer, s.howToSignIn())
	if s.Development() {
		fmt.Fprintf(w, "  console   %s/console: what happens here and why, and how to make it fail\n", s.Issuer)
		for _, issuer := range s.Layouts {
			fmt.Fprintf(w, "  also at   %s\n", issuer)
		}
	}
	fmt.Fprintf(w, "  clients   %s\n", strings.Join(describe(s.Clients), ", "))
}

// howToSignIn names the users of a development provider; others keep theirs to themselves.
func (s *settings) howToSignIn() string {
	if !s.Development() {
		return ""
	}
	var names []string
	how := "by one click, or with the password, which is the name"
	for _, user := range s.Users {
		names = append(names, user.Username)
		if user.Password != user.Username {
			how = "by one click, or with the password"
		}
	}
	return " as " + strings.Join(names, ", ") + ": " + how
}

func describe(clients []oidc.Client) []string {
	var list []string
	for _, client := range clients {
		kind := "confidential"
		if client.Public() {
			kind = "public, PKCE"
		}
		list = append(list, fmt.Sprintf("%s (%s)", client.ClientID, kind))
	}
	return list
}
