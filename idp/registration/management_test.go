package registration_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/registration"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage/storagetest"
)

func TestReadingARegistration(t *testing.T) {
	d := newFixture()
	registered, other := d.register(t, good().with("client_name", "App")), d.register(t, good())
	for _, row := range []struct {
		name, id, token string
		ok              bool
	}{
		{"RFC 7592 §2.1 with the registration access token", registered.ClientID, registered.RegistrationAccessToken, true},
		{"RFC 7592 §2.1 without one", registered.ClientID, "", false},
		{"RFC 7592 §2.1 with a wrong one", registered.ClientID, "guess", false},
		{"RFC 7592 §2.1 with another client's", registered.ClientID, other.RegistrationAccessToken, false},
		{"RFC 7592 §2.1 with an initial access token", registered.ClientID, "initial", false},
		{
			"RFC 7592 §2.1 of a client that does not exist the answer MUST be 401", "nobody", registered.RegistrationAccessToken,
			false,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := d.Read(request(t, http.MethodGet, "", row.token), row.id)
			if !row.ok {
				if e := oidc.AsError(err); e == nil || e.Code != oidc.InvalidToken || e.Status() != http.StatusUnauthorized {
					t.Errorf("got %v; want invalid_token, 401", err)
				}
				return
			}
			want := members(t, registered).with("client_secret", nil, "client_secret_expires_at", nil)
			if diff := cmp.Diff(want, members(t, got)); err != nil || diff != "" {
				t.Errorf("Read = %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// updates are the rows of TestUpdatingARegistration.
var updates = []struct {
	name   string
	change []any // of the document with which the client registered, and its client_id
	code   oidc.ErrorCode
	want   document
}{
	{
		"RFC 7592 §2.2 what is given replaces what was", []any{"client_name", "Other"}, "", document{"client_name": "Other"},
	},
	{"RFC 7592 §2.2 what is left out is deleted", []any{"client_name", nil}, "", document{"client_name": nil}},
	{
		"RFC 7592 §2.2 other redirect URIs", []any{"redirect_uris", []string{"https://new.test/cb"}}, "",
		document{"redirect_uris": []any{"https://new.test/cb"}},
	},
	{"RFC 7592 §2.2 client_id MUST be included", []any{"client_id", nil}, oidc.InvalidClientMetadata, nil},
	{"RFC 7592 §2.2 client_id MUST be the client's", []any{"client_id", "spa"}, oidc.InvalidClientMetadata, nil},
	{
		"RFC 7592 §2.2 client_secret MUST match", []any{"client_secret", "my own choice, long and random"},
		oidc.InvalidClientMetadata, nil,
	},
	{
		"RFC 7592 §2.2 registration_access_token MUST NOT be included", []any{"registration_access_token", "x"},
		oidc.InvalidClientMetadata, nil,
	},
	{
		"RFC 7592 §2.2 registration_client_uri MUST NOT be included", []any{"registration_client_uri", "x"},
		oidc.InvalidClientMetadata, nil,
	},
	{
		"RFC 7592 §2.2 client_secret_expires_at MUST NOT be included", []any{"client_secret_expires_at", 0},
		oidc.InvalidClientMetadata, nil,
	},
	{
		"RFC 7592 §2.2 client_id_issued_at MUST NOT be included", []any{"client_id_issued_at", 0},
		oidc.InvalidClientMetadata, nil,
	},
	{"RFC 7592 §2.2 a client_secret that is null is left out", []any{"client_secret", json.RawMessage("null")}, "", nil},
	{
		"RFC 7591 §5 a client that registered without an initial access token cannot get client_credentials later",
		[]any{"grant_types", []string{"authorization_code", "client_credentials"}}, oidc.InvalidClientMetadata, nil,
	},
	{
		"RFC 7591 §2.3 a software statement is refused of an update too", []any{"software_statement", "e30.e30."},
		oidc.UnapprovedSoftwareStatement, nil,
	},
	{
		"RFC 7592 §2.2 the metadata is judged as at first", []any{"redirect_uris", []string{"https://app.test/#x"}},
		oidc.InvalidRedirectURI, nil,
	},
	{
		"RFC 7592 §2.2 a client that becomes public loses its secret", []any{"token_endpoint_auth_method", "none"}, "",
		document{"client_secret": nil},
	},
}

func TestUpdatingARegistration(t *testing.T) {
	for _, row := range updates {
		t.Run(row.name, func(t *testing.T) {
			d := newFixture()
			registered := d.register(t, good().with("client_name", "App"))
			changed := good().with(
				"client_name", "App", "client_id", registered.ClientID, "client_secret", registered.ClientSecret)
			body := text(t, changed.with(row.change...))
			got, err := d.Update(request(t, http.MethodPut, body, registered.RegistrationAccessToken), registered.ClientID)
			if e := oidc.AsError(err); (e == nil) != (row.code == "") || e != nil && e.Code != row.code {
				t.Fatalf("got %v; want %q", err, row.code)
			}
			for name, want := range row.want {
				if diff := cmp.Diff(want, members(t, got)[name]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
			if after, err := d.Clients.ByID(t.Context(), registered.ClientID); err != nil ||
				row.code != "" && after.ClientName != "App" {
				t.Errorf("the provider knows %+v, %v", after, err)
			}
		})
	}
}

func TestAClientWithAnInitialAccessTokenMayStillDoMore(t *testing.T) { // RFC 7591 §5
	d := newFixture()
	registered, err := d.Register(request(t, http.MethodPost, text(t, good()), "initial"))
	if err != nil {
		t.Fatal(err)
	}
	body := text(
		t,
		good().with("client_id", registered.ClientID, "grant_types", []string{"authorization_code", "client_credentials"}),
	)
	for range 2 { // an update keeps what the next one is judged by
		r := request(t, http.MethodPut, body, registered.RegistrationAccessToken)
		if _, err := d.Update(r, registered.ClientID); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheSecretAcrossUpdates(t *testing.T) {
	d := newFixture()
	registered := d.register(t, good())
	update := func(change ...any) registration.Information {
		t.Helper()
		body := text(t, good().with("client_id", registered.ClientID).with(change...))
		got, err := d.Update(request(t, http.MethodPut, body, registered.RegistrationAccessToken), registered.ClientID)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	matches := func(secret string) bool {
		client, err := d.Clients.ByID(t.Context(), registered.ClientID)
		return err == nil && client.ClientSecret.Matches(secret)
	}
	if got := update(); got.ClientSecret != "" || !matches(registered.ClientSecret) {
		t.Errorf("RFC 7592 §2.2 an update without client_secret keeps it: %+v", got)
	}
	if got := update("client_secret", registered.ClientSecret); got.ClientSecret != registered.ClientSecret ||
		!matches(registered.ClientSecret) {
		t.Errorf("RFC 7592 §2.2 an update with client_secret keeps it: %+v", got)
	}
	jwt := update("token_endpoint_auth_method", "client_secret_jwt")
	if client, err := d.Clients.ByID(t.Context(), registered.ClientID); err != nil || jwt.ClientSecret == "" ||
		client.ClientSecret.Plain() != jwt.ClientSecret {
		t.Errorf("RFC 7592 §3 for client_secret_jwt a new secret is made, since of the old one the hash is known: %+v", jwt)
	}
	update("token_endpoint_auth_method", "none")
	if matches(jwt.ClientSecret) {
		t.Error("a public client has a secret")
	}
	if got := update(); got.ClientSecret == "" || !matches(got.ClientSecret) {
		t.Errorf("a client that becomes confidential gets a secret: %+v", got)
	}
}

func TestDeletingARegistration(t *testing.T) {
	d := newFixture()
	registered, other := d.register(t, good()), d.register(t, good())
	foreign := request(t, http.MethodDelete, "", other.RegistrationAccessToken)
	if err := d.Delete(foreign, registered.ClientID); oidc.AsError(
		err,
	) == nil {
		t.Error("RFC 7592 §2.3 another client's token deletes it")
	}
	r := request(t, http.MethodDelete, "", registered.RegistrationAccessToken)
	if err := d.Delete(r, registered.ClientID); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"GET":    second(d.Read(request(t, http.MethodGet, "", registered.RegistrationAccessToken), registered.ClientID)),
		"DELETE": d.Delete(request(t, http.MethodDelete, "", registered.RegistrationAccessToken), registered.ClientID),
		"PUT": second(d.Update(request(t, http.MethodPut,
			text(t, good().with("client_id", registered.ClientID)), registered.RegistrationAccessToken),
			registered.ClientID)),
	} {
		if e := oidc.AsError(err); e == nil || e.Status() != http.StatusUnauthorized {
			t.Errorf("RFC 7592 §2.3 the registration access token MUST be invalidated: %s gives %v", what, err)
		}
	}
	if _, err := d.Clients.ByID(t.Context(), registered.ClientID); !errors.Is(err, clients.ErrUnknown) {
		t.Errorf("RFC 7592 §2.3 the client_id MUST be invalidated: %v", err)
	}
	if _, err := d.Clients.ByID(t.Context(), other.ClientID); err != nil {
		t.Errorf("another client is gone too: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestAStoreThatFailsRegistersNobody(t *testing.T) {
	d := newFixture()
	registered := d.register(t, good())
	d.store.Gone(true)
	_, add := d.Register(request(t, http.MethodPost, text(t, good()), ""))
	_, read := d.Read(request(t, http.MethodGet, "", registered.RegistrationAccessToken), registered.ClientID)
	for _, err := range []error{add, read} {
		if !errors.Is(err, storagetest.ErrEngine) {
			t.Errorf("got %v; want the engine's error", err)
		}
	}
}

// FuzzMetadata: whatever comes is registered as something that is good by the same rules, or an error that a client can
// read.
func FuzzMetadata(f *testing.F) {
	f.Add(text(f, good()))
	for _, row := range refusals {
		f.Add(text(f, good().with(row.change...)))
	}
	f.Add(`{"redirect_uris":["https://app.test/cb"],"first_party":true,"First_Party":true}`)
	f.Add(`{"redirect_uris":[null],"jwks":{"keys":[{}]}}`)
	f.Fuzz(func(t *testing.T, body string) {
		d := newFixture()
		information, err := d.Register(request(t, http.MethodPost, body, ""))
		if err != nil {
			if e := oidc.AsError(err); e.Status() != http.StatusBadRequest || len(e.Description) > 2000 {
				t.Errorf("%q gives %v", body, err)
			}
			return
		}
		client, err := d.Clients.ByID(t.Context(), information.ClientID)
		if err != nil || client.FirstParty || client.AccessTokenLifetime != 0 || len(client.Problems(false)) != 0 {
			t.Errorf("%q is registered as %+v, %v with %v", body, client, err, client.Problems(false))
		}
		again := information.Client
		if _, err := d.Register(request(t, http.MethodPost, text(t, again), "")); err != nil {
			t.Errorf("RFC 7592 §2.2 what was registered can be sent back: %s gives %v", fmt.Sprint(text(t, again)), err)
		}
	})
}
