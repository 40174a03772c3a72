package registration

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hush-idp/hush/idp/fetch"
	"github.com/hush-idp/hush/oidc"
)

// request is the metadata of a client that registers, with defaults filled in.
type request struct {
	oidc.Client
	Endpoint *Endpoint
	Trusted  bool // an initial access token came, now or when the client registered
}

const (
	longestName = 100 // characters of client_name, which a person reads on the consent page
	mostURIs    = 50  // redirect URIs: each of their origins is a record
)

// disguises says whether a character can make a name look like another one: a new line, or a change of direction. RFC
// 7591 §5 warns of clients that imitate others.
func disguises(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

var rules = oidc.Table[*request]{
	{
		Spec: "a limit of this provider", Text: "there are at most 50 redirect_uris", Else: oidc.InvalidRedirectURI,
		Holds: func(r *request) bool { return len(r.RedirectURIs) <= mostURIs },
		Got:   func(r *request) string { return strconv.Itoa(len(r.RedirectURIs)) },
	},
	{
		Spec:  "RFC 8252 §8.4",
		Text:  "the scheme of an app's own redirect_uris is its reversed domain name, such as com.example.app",
		Holds: func(r *request) bool { return first(r.RedirectURIs, isCommonScheme) == "" },
		Got:   func(r *request) string { return first(r.RedirectURIs, isCommonScheme) }, Else: oidc.InvalidRedirectURI,
	},
	{
		Spec:  "RP-Initiated Logout §3.1",
		Text:  "the scheme of an app's own post_logout_redirect_uris is its reversed domain name, such as com.example.app",
		Holds: func(r *request) bool { return first(r.PostLogoutRedirectURIs, isCommonScheme) == "" },
		Got:   func(r *request) string { return first(r.PostLogoutRedirectURIs, isCommonScheme) },
		Else:  oidc.InvalidClientMetadata,
	},
	{
		Spec: "Registration §2 application_type",
		Text: "redirect_uris of a native client are of its own scheme, or http on a loopback address",
		Holds: func(r *request) bool {
			return r.ApplicationType != "native" || first(r.RedirectURIs, isNotNative) == ""
		},
		Got: func(r *request) string { return first(r.RedirectURIs, isNotNative) }, Else: oidc.InvalidRedirectURI,
	},
	{
		Spec: "RFC 7591 §5",
		Text: "client_name is one line of 100 characters at most, without characters that change the direction of writing",
		Holds: func(r *request) bool {
			return utf8.RuneCountInString(r.ClientName) <= longestName && !strings.ContainsFunc(r.ClientName, disguises)
		},
		Got: func(r *request) string { return fmt.Sprintf("%.300q", r.ClientName) }, Else: oidc.InvalidClientMetadata,
	},
	{
		Spec: "RFC 7591 §2.1", Text: "response_types are those of the grant_types: code with authorization_code",
		Holds: func(r *request) bool { return !r.Grants(oidc.GrantAuthorizationCode) || len(r.ResponseTypes) > 0 },
		Got:   func(*request) string { return "an empty list" }, Else: oidc.InvalidClientMetadata,
	},
	{
		Spec: "RFC 7591 §5",
		Text: "a client with client_credentials, which gives tokens without a person, registers with an initial access token",
		Holds: func(r *request) bool {
			return r.Trusted || r.Endpoint.Development || !r.Grants(oidc.GrantClientCredentials)
		},
		Got: func(*request) string { return "a request without one" }, Else: oidc.InvalidClientMetadata,
	},
}

// choice is a member whose values must be listed in the metadata of the provider.
type choice struct {
	Spec, Field   string
	Given, Listed []string
}

// choicesOf returns the choices of the client at the provider.
func choicesOf(c oidc.Client, m oidc.Metadata) []choice {
	one := func(value string) []string { return slices.DeleteFunc([]string{value}, isEmpty) }
	return []choice{
		{"RFC 7591 §2", "token_endpoint_auth_method", one(c.TokenEndpointAuthMethod), m.TokenEndpointAuthMethodsSupported},
		{"RFC 7591 §2", "grant_types", c.GrantTypes, m.GrantTypesSupported},
		{"RFC 7591 §2", "response_types", c.ResponseTypes, m.ResponseTypesSupported},
		{"RFC 7591 §2", "scope", oidc.ParseScope(c.Scope), m.ScopesSupported},
		{"Core §8", "subject_type", one(c.SubjectType), m.SubjectTypesSupported},
		{"Registration §2", "token_endpoint_auth_signing_alg",
			one(c.TokenEndpointAuthSigningAlg), m.TokenEndpointAuthAlgs},
		{"Registration §2", "id_token_signed_response_alg",
			one(c.IDTokenSignedResponseAlg), m.IDTokenSigningAlgValuesSupported},
		{"Registration §2", "id_token_encrypted_response_alg",
			one(c.IDTokenEncryptedResponseAlg), m.IDTokenEncryptionAlgValuesSupported},
		{"Registration §2", "id_token_encrypted_response_enc",
			one(c.IDTokenEncryptedResponseEnc), m.IDTokenEncryptionEncValuesSupported},
		{"Registration §2", "userinfo_signed_response_alg",
			one(c.UserinfoSignedResponseAlg), m.UserinfoSigningAlgValuesSupported},
		{"Registration §2", "userinfo_encrypted_response_alg",
			one(c.UserinfoEncryptedResponseAlg), m.UserinfoEncryptionAlgValuesSupported},
		{"Registration §2", "userinfo_encrypted_response_enc",
			one(c.UserinfoEncryptedResponseEnc), m.UserinfoEncryptionEncValuesSupported},
		{"Registration §2", "request_object_signing_alg",
			one(c.RequestObjectSigningAlg), m.RequestObjectSigningAlgValuesSupported},
		{"JARM §3", "authorization_signed_response_alg",
			one(c.AuthorizationSignedResponseAlg), m.AuthorizationSigningAlgValuesSupported},
		{"RFC 9701 §6", "introspection_signed_response_alg",
			one(c.IntrospectionSignedResponseAlg), m.IntrospectionSigningAlgValuesSupported},
	}
}

func isEmpty(value string) bool { return value == "" }

// judge returns nil if the metadata may be registered. RFC 7591 §3.2.2 defines its errors.
func judge(ctx context.Context, r *request) error {
	for _, c := range choicesOf(r.Client, *r.Endpoint.Metadata) {
		for _, value := range c.Given {
			if !slices.Contains(c.Listed, value) {
				return oidc.InvalidClientMetadata.Errorf("%s is %.100q; this provider has %s (%s)",
					c.Field, value, cmp.Or(strings.Join(c.Listed, ", "), "none"), c.Spec)
			}
		}
	}
	var problems []error
	r.Endpoint.Provided.CheckClient(r.Client, func(field, text string) {
		problems = append(problems, codeOf(field).Errorf("%s %.500s", field, text))
	})
	if len(problems) > 0 {
		return problems[0]
	}
	if err := rules.Judge(ctx, r); err != nil {
		return err
	}
	return r.Endpoint.checkSector(ctx, r.Client)
}

// codeOf: RFC 7591 §3.2.2: invalid_redirect_uri is for "one or more redirection URIs", invalid_client_metadata for the
// rest.
func codeOf(field string) oidc.ErrorCode {
	if strings.HasPrefix(field, "redirect_uris") {
		return oidc.InvalidRedirectURI
	}
	return oidc.InvalidClientMetadata
}

// first returns the first wrong URI, at most 300 bytes of it; empty if there is none.
func first(uris []string, wrong func(*url.URL) bool) string {
	for _, uri := range uris {
		if u, err := url.Parse(uri); err != nil || wrong(u) {
			return fmt.Sprintf("%.300s", uri)
		}
	}
	return ""
}

// isCommonScheme: RFC 8252 §8.4: "At a minimum, any private-use URI scheme that doesn't contain a period character (.)
// SHOULD be rejected": intent, ftp and others belong to other programs.
func isCommonScheme(u *url.URL) bool {
	return u.Scheme != "https" && u.Scheme != "http" && !strings.Contains(u.Scheme, ".")
}

func isNotNative(u *url.URL) bool {
	return u.Scheme == "https" || u.Scheme == "http" && !oidc.IsLoopback(u.Hostname())
}

// checkSector: Registration §5: the document at sector_identifier_uri is "a JSON array of redirect_uri values", and
// "the values registered in redirect_uris MUST be included in the elements of the array, or registration MUST fail".
func (e *Endpoint) checkSector(ctx context.Context, c oidc.Client) error {
	if c.SectorIdentifierURI == "" {
		return nil
	}
	refuse := func(format string, a ...any) error {
		return oidc.InvalidClientMetadata.Errorf("sector_identifier_uri %.300s: %s (Registration §5)",
			c.SectorIdentifierURI, fmt.Sprintf(format, a...))
	}
	text, err := e.Fetch.Get(ctx, c.SectorIdentifierURI)
	if err != nil {
		return refuse("%s", fetch.Why(err))
	}
	var listed []string
	if err := json.Unmarshal(text, &listed); err != nil {
		return refuse("expected a JSON array of redirect URIs")
	}
	for _, uri := range c.RedirectURIs {
		if !slices.Contains(listed, uri) {
			return refuse("it does not list the redirect URI %.300s", uri)
		}
	}
	return nil
}
