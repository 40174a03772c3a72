package check

import "testing"

// https://www.w3.org/TR/CSP3/#match-url-to-source-expression
func TestWhichAddressASourceAllows(t *testing.T) {
	const self = "http://app.example:5173"
	for _, row := range []struct {
		source, address string
		want            bool
	}{
		{"*", "https://login.example/authorize", true},
		{"*", "data:text/html,x", false},
		{"'none'", "http://app.example:5173/", false},
		{"'self'", "http://app.example:5173/callback", true},
		{"'SELF'", "https://app.example:5173/callback", true},
		{"'self'", "http://app.example:5174/", false},
		{"'self'", "http://other.example:5173/", false},
		{"'unsafe-inline'", "http://app.example:5173/", false},
		{"https:", "https://login.example/", true},
		{"https:", "http://login.example/", false},
		{"http:", "https://login.example/", true},
		{"https://login.example", "https://login.example/authorize", true},
		{"https://login.example", "https://login.example:8443/authorize", false},
		{"https://login.example:*", "https://login.example:8443/authorize", true},
		{"https://login.example:8443", "https://login.example:8443/", true},
		{"http://login.example", "https://login.example/", true},
		{"http://login.example:80", "https://login.example/", true},
		{"https://login.example", "http://login.example/", false},
		{"login.example", "http://login.example/", true},
		{"Login.Example:8080", "http://login.example:8080/", true},
		{"*.example.com", "http://login.example.com/", true},
		{"*.example.com", "http://example.com/", false},
		{"https://*:8443", "https://login.example:8443/", true},
		{"https://login.example/realms/", "https://login.example/realms/x/authorize", true},
		{"https://login.example/realms/", "https://login.example/authorize", false},
		{"https://login.example/Auth", "https://login.example/Auth", true},
		{"https://login.example/Auth", "https://login.example/auth", false},
		{"http://[::1]:8080", "http://[::1]:8080/token", true},
		{"'self'", "https://%zz", false},
	} {
		if got := matches(row.source, row.address, self); got != row.want {
			t.Errorf("%s and %s: got %t", row.source, row.address, got)
		}
	}
}

func TestPoliciesAreRead(t *testing.T) {
	got := policiesIn([]string{"Frame-Src 'self'; frame-src *;; default-src 'none', img-src *", "", " ; "})
	if len(got) != 2 || len(got[0]["frame-src"]) != 1 || got[0]["frame-src"][0] != "'self'" || got[1]["img-src"] == nil {
		t.Errorf("got %v", got)
	}
}
