package clients_test

import (
	"regexp"
	"slices"
	"testing"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

const salt = "a salt of this provider's own"

func subjects() *clients.Subjects {
	return clients.NewSubjects(salt, must(users.New([]users.User{named("alice"), named("bob"), named("carol")})))
}

func named(name string) users.User { return users.User{Username: name, Password: name} }

func pairwise(uris ...string) oidc.Client {
	return oidc.Client{ClientID: "app", SubjectType: oidc.SubjectPairwise, RedirectURIs: uris}
}

// sector gives the client a sector_identifier_uri.
func sector(client oidc.Client, uri string) oidc.Client {
	client.SectorIdentifierURI = uri
	return client
}

func of(t *testing.T, s *clients.Subjects, client oidc.Client, sub string) string {
	t.Helper()
	shown, err := s.Of(&client, sub)
	if err != nil {
		t.Fatal(err)
	}
	return shown
}

func TestTheSectorOfAClient(t *testing.T) {
	for _, row := range []struct {
		name   string
		client oidc.Client
		want   string // "": an error
	}{
		{"Core §8.1 the host of the redirect_uri", pairwise("https://app.test/cb"), "app.test"},
		{
			"Core §8.1 the one host of several redirect_uris", pairwise("https://app.test/cb", "https://app.test/silent"),
			"app.test",
		},
		{"Core §8.1 a port is no part of the host", pairwise("https://app.test:8443/cb", "https://app.test/cb"), "app.test"},
		{
			"RFC 3986 §3.2.2 a host is the same in upper case", pairwise("https://APP.test/cb", "https://app.test/cb"),
			"app.test",
		},
		{
			"Core §8.1 the host of the sector_identifier_uri, whatever the redirect_uris are",
			sector(pairwise("https://a.test/cb", "https://b.test/cb"), "https://group.test/uris.json"), "group.test",
		},
		{
			"Core §8.1 several hosts without a sector_identifier_uri have no sector",
			pairwise("https://a.test/cb", "https://b.test/cb"), "",
		},
		{"an app's own scheme stands for itself", pairwise("com.example.app:/cb"), "com.example.app:"},
		{"no redirect_uri and no sector_identifier_uri", pairwise(), ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := clients.Sector(&row.client)
			if got != row.want || (err == nil) != (row.want != "") {
				t.Errorf("Sector = %q, %v; want %q", got, err, row.want)
			}
		})
	}
}

func TestTheSubThatAClientKnows(t *testing.T) {
	s := subjects()
	public := oidc.Client{ClientID: "app", RedirectURIs: []string{"https://app.test/cb"}}
	mine := of(t, s, pairwise("https://app.test/cb"), "alice")
	for _, row := range []struct {
		name string
		got  string
		same bool // as alice's with the pairwise client
	}{
		{"Core §8.1 the algorithm MUST be deterministic", of(t, s, pairwise("https://app.test/cb"), "alice"), true},
		{
			"Core §8.1 another client of the same sector gets the same", of(t, s, pairwise("https://app.test/other"), "alice"),
			true,
		},
		{"Core §8.1 after a restart it is the same", of(t, subjects(), pairwise("https://app.test/cb"), "alice"), true},
		{
			"Core §8.1 distinct sectors MUST result in different subs", of(t, s, pairwise("https://other.test/cb"), "alice"),
			false,
		},
		{"Core §2 another user has another one", of(t, s, pairwise("https://app.test/cb"), "bob"), false},
		{
			"Core §8.1 another provider's salt gives another one",
			of(t, clients.NewSubjects("another salt", nil), pairwise("https://app.test/cb"), "alice"), false,
		},
		{"Core §8.1 the sub MUST NOT be reversible: it is not the local one", "alice", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if (row.got == mine) != row.same {
				t.Errorf("got %q beside %q; want the same: %t", row.got, mine, row.same)
			}
		})
	}
	if got := of(t, s, public, "alice"); got != "alice" {
		t.Errorf("Core §8 public provides the same sub to all clients: got %q", got)
	}
	if !regexp.MustCompile(`^[\x21-\x7e]{16,255}$`).MatchString(mine) {
		t.Errorf("Core §2 a sub MUST NOT exceed 255 ASCII characters: %q", mine)
	}
}

func TestWhichUserASubMeans(t *testing.T) {
	app, other := pairwise("https://app.test/cb"), pairwise("https://other.test/cb")
	for _, row := range []struct {
		name   string
		client oidc.Client
		shown  string
		want   string
	}{
		{"Core §8.1 the provider itself finds the user again", app, of(t, subjects(), app, "bob"), "bob"},
		{"Core §8.1 not by the sub of another sector", app, of(t, subjects(), other, "bob"), ""},
		{"Core §8.1 not by the local sub", app, "bob", ""},
		{"of nobody", app, "", ""},
		{"Core §8 public is the sub itself", oidc.Client{}, "bob", "bob"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := subjects()
			of(t, s, other, "bob") // the sub of another client is cached, and is not valid for this one
			for range 2 {
				if got, err := s.Reveal(&row.client, row.shown); got != row.want || err != nil {
					t.Errorf("Reveal = %q, %v; want %q", got, err, row.want)
				}
			}
		})
	}
}

func TestWithoutASaltThereIsNoPairwise(t *testing.T) {
	s := clients.NewSubjects("", nil)
	client := pairwise("https://app.test/cb")
	if _, err := s.Of(&client, "alice"); err == nil {
		t.Error("Core §8.1 a pairwise sub without a secret could be reversed by anybody")
	}
	if got := s.Types(); !slices.Equal(got, []string{"public"}) {
		t.Errorf("Discovery §3 subject_types_supported is %v", got)
	}
	if got := subjects().Types(); !slices.Equal(got, []string{"public", "pairwise"}) {
		t.Errorf("Discovery §3 subject_types_supported with a salt is %v", got)
	}
}
