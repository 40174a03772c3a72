package oidc_test

import (
	"testing"

	"github.com/hush-idp/hush/oidc"
)

func TestListingOfRegisteredURIsIsShort(t *testing.T) {
	five := []string{"https://a.test/1", "https://a.test/2", "https://a.test/3", "https://a.test/4",
		"https://a.test/callback"}
	for _, row := range []struct {
		name       string
		registered []string
		want       string
	}{
		{"nothing is registered", nil, "none"},
		{"up to five are listed", five[3:], "https://a.test/4, https://a.test/callback"},
		{"of more the most similar one is named", append(five, "https://a.test/6"),
			"6 addresses, of which https://a.test/callback is the most similar (path: /calback instead of /callback)"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := oidc.Listing(row.registered, "https://a.test/calback"); got != row.want {
				t.Errorf("Listing = %s; want %s", got, row.want)
			}
		})
	}
}
