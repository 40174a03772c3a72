package oidc_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/oidc"
)

func TestErrorStatus(t *testing.T) {
	for _, row := range []struct {
		name   string
		code   oidc.ErrorCode
		status int
	}{
		{"RFC 6749 §5.2 invalid_request", oidc.InvalidRequest, http.StatusBadRequest},
		{"RFC 6749 §5.2 invalid_client", oidc.InvalidClient, http.StatusUnauthorized},
		{"RFC 6749 §5.2 invalid_grant", oidc.InvalidGrant, http.StatusBadRequest},
		{"RFC 6749 §5.2 unauthorized_client", oidc.UnauthorizedClient, http.StatusBadRequest},
		{"RFC 6749 §5.2 unsupported_grant_type", oidc.UnsupportedGrantType, http.StatusBadRequest},
		{"RFC 6749 §5.2 invalid_scope", oidc.InvalidScope, http.StatusBadRequest},
		{"RFC 6749 §4.1.2.1 access_denied", oidc.AccessDenied, http.StatusForbidden},
		{"RFC 6749 §4.1.2.1 unsupported_response_type", oidc.UnsupportedResponseType, http.StatusBadRequest},
		{"RFC 6749 §4.1.2.1 server_error", oidc.ServerError, http.StatusInternalServerError},
		{"RFC 6749 §4.1.2.1 temporarily_unavailable", oidc.TemporarilyUnavailable, http.StatusServiceUnavailable},
		{"RFC 6750 §3.1 invalid_token", oidc.InvalidToken, http.StatusUnauthorized},
		{"RFC 6750 §3.1 insufficient_scope", oidc.InsufficientScope, http.StatusForbidden},
		{"Core §3.1.2.6 login_required, where it cannot be redirected", oidc.LoginRequired, http.StatusBadRequest},
		{
			"Core §3.1.2.6 request_not_supported, where it cannot be redirected", oidc.RequestNotSupported,
			http.StatusBadRequest,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.code.Errorf("why").Status(); got != row.status {
				t.Errorf("Status() = %d; want %d", got, row.status)
			}
		})
	}
}

// faces are what the outside sees of an error: parameters of a redirect, and JSON.
var faces = []struct {
	name   string
	err    *oidc.Error
	params string
	json   string
}{
	{
		"RFC 6749 §4.1.2.1 error and error_description", oidc.LoginRequired.Errorf("nobody is signed in"),
		"error=login_required&error_description=nobody+is+signed+in",
		`{"error":"login_required","error_description":"nobody is signed in"}`,
	},
	{
		"RFC 6749 §4.1.2.1 a description with arguments", oidc.InvalidRequest.Errorf("max_age is %d, not %s", -1, "a&b=c"),
		"error=invalid_request&error_description=max_age+is+-1%2C+not+a%26b%3Dc",
		`{"error":"invalid_request","error_description":"max_age is -1, not a\u0026b=c"}`,
	},
	{
		"a cause is for the log: no face shows it", oidc.ServerError.Errorf(
			"the provider failed").Because(errors.New("disk /dev/sda is full")),
		"error=server_error&error_description=the+provider+failed",
		`{"error":"server_error","error_description":"the provider failed"}`,
	},
	{
		"RFC 6749 appendix A.8 error_description has a character or more, so an empty one is left out",
		oidc.AccessDenied.Errorf(
			""),
		"error=access_denied",
		`{"error":"access_denied"}`,
	},
}

func TestErrorFaces(t *testing.T) {
	for _, row := range faces {
		t.Run(row.name, func(t *testing.T) {
			if got := row.err.Params().Encode(); got != row.params {
				t.Errorf("Params() = %s; want %s", got, row.params)
			}
			if got, err := json.Marshal(row.err); err != nil || string(got) != row.json {
				t.Errorf("JSON = %s, %v; want %s", got, err, row.json)
			}
		})
	}
}

func TestParamsAreTheCallersOwn(t *testing.T) {
	e := oidc.AccessDenied.Errorf("the user said no")
	e.Params().Set("state", "s")
	want := url.Values{"error": {"access_denied"}, "error_description": {"the user said no"}}
	if diff := cmp.Diff(want, e.Params()); diff != "" {
		t.Errorf("a change to one answer's parameters is seen in the next (-want +got):\n%s", diff)
	}
}

// RFC 6749 §4.1.2.1: "Values for the "error_description" parameter MUST NOT include characters outside the set
// %x20-21 / %x23-5B / %x5D-7E."
func TestErrorDescriptionKeepsToItsCharacters(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"every allowed character stays", allowedInDescription(), allowedInDescription()},
		{"a quotation mark (%x22)", `prompt "dance"`, `prompt 'dance'`},
		{"a backslash (%x5C)", `C:\hush`, `C:/hush`},
		{"a line break cannot begin another header", "a\r\nSet-Cookie: x=1", "a??Set-Cookie: x=1"},
		{"NUL and DEL", "a\x00b\x7fc", "a?b?c"},
		{"letters beyond ASCII, one mark each", "grün 日本", "gr?n ??"},
		{"bytes that are no UTF-8", "a\xff\xfeb", "a??b"},
		{"a letter beyond ASCII alone", "é", "?"},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := oidc.InvalidRequest.Errorf("%s", row.text)
			if e.Description != row.want {
				t.Errorf("Description = %q; want %q", e.Description, row.want)
			}
		})
	}
}

func TestNoRuneEscapesTheRestriction(t *testing.T) {
	allowed := allowedInDescription()
	for r := rune(0); r <= 0x2fff; r++ {
		for _, got := range oidc.InvalidRequest.Errorf("%c", r).Description {
			if !strings.ContainsRune(allowed, got) {
				t.Fatalf("%U became %U, which RFC 6749 §4.1.2.1 forbids", r, got)
			}
		}
	}
}

func allowedInDescription() string {
	var allowed strings.Builder
	for r := rune(0x20); r <= 0x7e; r++ {
		if r != 0x22 && r != 0x5c {
			allowed.WriteRune(r)
		}
	}
	return allowed.String()
}

func TestAsError(t *testing.T) {
	own := oidc.InvalidGrant.Errorf("the code is spent")
	outer := oidc.InvalidClient.Errorf("outer").Because(own)
	for _, row := range []struct {
		name string
		err  error
		want *oidc.Error
	}{
		{"an Error is itself", own, own},
		{"an Error is found in a wrapping", fmt.Errorf("while redeeming: %w", own), own},
		{"an Error is found among joined errors", errors.Join(io.EOF, own), own},
		{"of two Errors the outer one speaks", outer, outer},
		{"no error is no Error", nil, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := oidc.AsError(row.err); got != row.want {
				t.Errorf("AsError(%v) = %v; want %v", row.err, got, row.want)
			}
		})
	}
}

func TestAForeignErrorBecomesABareServerError(t *testing.T) {
	foreign := fmt.Errorf("dial redis.internal:6379: %w", io.ErrUnexpectedEOF)
	e := oidc.AsError(foreign)
	if e.Code != oidc.ServerError || e.Status() != http.StatusInternalServerError {
		t.Errorf("AsError(foreign) = %s, status %d; want server_error, 500", e.Code, e.Status())
	}
	if strings.Contains(e.Params().Encode(), "redis") {
		t.Errorf("the outside is told %q", e.Description)
	}
	if !errors.Is(e, io.ErrUnexpectedEOF) || !strings.Contains(e.Error(), "redis.internal:6379") {
		t.Errorf("the log is not told the cause: %v", e)
	}
}

func TestBecauseLeavesTheOriginalAlone(t *testing.T) {
	plain := oidc.TemporarilyUnavailable.Errorf("come back later")
	caused := plain.Because(io.EOF)
	if plain.Unwrap() != nil || plain.Error() != "temporarily_unavailable: come back later" {
		t.Errorf("Because changed its receiver to %v", plain)
	}
	if !errors.Is(caused, io.EOF) || caused.Error() != "temporarily_unavailable: come back later (EOF)" {
		t.Errorf("Because(io.EOF) = %v; want the cause in it", caused)
	}
	if caused.Code != plain.Code || caused.Description != plain.Description {
		t.Errorf("Because gave %v; want the same code and description", caused)
	}
}
