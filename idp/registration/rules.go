package registration

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/fetch"
	"github.com/hush-idp/hush/oidc"
)

// request is a client that wants to be registered so, defaults filled in.
type request struct {
	oidc.Client
	Endpoint *Endpoint
	Provider oidc.Metadata // what the provider says that it can
	Trusted  bool          // an initial access token came, now or when the client registered
}

// Rule is one condition under which metadata is registered, in the order in which they are judged.
type Rule struct {
	Spec, Text string
	Wrong      func(r request) string // what breaks it; "" for nothing
	Else       oidc.ErrorCode
}

// longestName is more characters than any name has that a person reads before they decide.
const longestName = 100

// disguises tells of a character that makes a name look like something that it is not: a new line, or a change of the direction
// of what follows. By RFC 7591 §5 a client may try to look like another one, for all that it says about itself nobody vouches for.
func disguises(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// most is how many redirect URIs a client may have: each origin of them is a record.
const most = 50

var rules = []Rule{
	{
		Spec: "a limit of this provider", Text: "there are at most 50 redirect_uris",
		Wrong: func(r request) string {
			if len(r.RedirectURIs) <= most {
				return ""
			}
			return strconv.Itoa(len(r.RedirectURIs))
		},
		Else: oidc.InvalidRedirectURI,
	},
	{
		Spec: "RFC 9700 §2.6", Text: "redirect_uris are https, or http on a loopback address",
		Wrong: func(r request) string { return first(r.RedirectURIs, r.Endpoint.isOpenHTTP) }, Else: oidc.InvalidRedirectURI,
	},
	{
		Spec: "RFC 8252 §8.4", Text: "the scheme of an app's own redirect_uris is its reversed domain name, such as com.example.app",
		Wrong: func(r request) string { return first(r.RedirectURIs, isCommonScheme) }, Else: oidc.InvalidRedirectURI,
	},
	{
		Spec: "Registration §2 application_type", Text: "redirect_uris of a native client are of its own scheme, or http on a loopback address",
		Wrong: func(r request) string {
			if r.ApplicationType != "native" {
				return ""
			}
			return first(r.RedirectURIs, isNotNative)
		},
		Else: oidc.InvalidRedirectURI,
	},
	{
		Spec: "RFC 7591 §5", Text: "client_name is one line of 100 characters at the most, written in one direction unless its letters say otherwise",
		Wrong: func(r request) string {
			if utf8.RuneCountInString(r.ClientName) > longestName || strings.ContainsFunc(r.ClientName, disguises) {
				return strconv.Quote(r.ClientName)
			}
			return ""
		},
		Else: oidc.InvalidClientMetadata,
	},
	{
		Spec: "RFC 7591 §2.1", Text: "response_types are those of the grant_types: code with authorization_code",
		Wrong: func(r request) string {
			if r.Grants(oidc.GrantAuthorizationCode) && len(r.ResponseTypes) == 0 {
				return "an empty list"
			}
			return ""
		},
		Else: oidc.InvalidClientMetadata,
	},
	{
		Spec: "RFC 7591 §5", Text: "client_credentials, which gives tokens without a person, is for who brings an initial access token",
		Wrong: func(r request) string {
			if r.Trusted || r.Endpoint.Development || !r.Grants(oidc.GrantClientCredentials) {
				return ""
			}
			return "a request without one"
		},
		Else: oidc.InvalidClientMetadata,
	},
	{
		Spec: "Core §8.1", Text: "a pairwise client with redirect_uris of several hosts has a sector_identifier_uri",
		Wrong: func(r request) string {
			if r.SubjectType != oidc.SubjectPairwise {
				return ""
			}
			if _, err := clients.Sector(r.Client); err != nil {
				return strings.Join(r.RedirectURIs, ", ")
			}
			return ""
		},
		Else: oidc.InvalidClientMetadata,
	},
}

// choice is a member whose value must be one of those that the provider's own metadata lists.
type choice struct {
	Spec, Field string
	Given       func(c oidc.Client) []string
	Listed      func(m oidc.Metadata) []string
}

func one(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

var choices = []choice{
	{"RFC 7591 §2", "token_endpoint_auth_method", func(c oidc.Client) []string { return one(c.TokenEndpointAuthMethod) }, func(m oidc.Metadata) []string { return m.TokenEndpointAuthMethodsSupported }},
	{"RFC 7591 §2", "grant_types", func(c oidc.Client) []string { return c.GrantTypes }, func(m oidc.Metadata) []string { return m.GrantTypesSupported }},
	{"RFC 7591 §2", "response_types", func(c oidc.Client) []string { return c.ResponseTypes }, func(m oidc.Metadata) []string { return m.ResponseTypesSupported }},
	{"RFC 7591 §2", "scope", func(c oidc.Client) []string { return oidc.ParseScope(c.Scope) }, func(m oidc.Metadata) []string { return m.ScopesSupported }},
	{"Core §8", "subject_type", func(c oidc.Client) []string { return one(c.SubjectType) }, func(m oidc.Metadata) []string { return m.SubjectTypesSupported }},
	{"Registration §2", "token_endpoint_auth_signing_alg", func(c oidc.Client) []string { return one(c.TokenEndpointAuthSigningAlg) }, func(m oidc.Metadata) []string { return m.TokenEndpointAuthSigningAlgValuesSupported }},
	{"Registration §2", "id_token_signed_response_alg", func(c oidc.Client) []string { return one(c.IDTokenSignedResponseAlg) }, func(m oidc.Metadata) []string { return m.IDTokenSigningAlgValuesSupported }},
	{"Registration §2", "id_token_encrypted_response_alg", func(c oidc.Client) []string { return one(c.IDTokenEncryptedResponseAlg) }, func(m oidc.Metadata) []string { return m.IDTokenEncryptionAlgValuesSupported }},
	{"Registration §2", "id_token_encrypted_response_enc", func(c oidc.Client) []string { return one(c.IDTokenEncryptedResponseEnc) }, func(m oidc.Metadata) []string { return m.IDTokenEncryptionEncValuesSupported }},
	{"Registration §2", "userinfo_signed_response_alg", func(c oidc.Client) []string { return one(c.UserinfoSignedResponseAlg) }, func(m oidc.Metadata) []string { return m.UserinfoSigningAlgValuesSupported }},
	{"Registration §2", "userinfo_encrypted_response_alg", func(c oidc.Client) []string { return one(c.UserinfoEncryptedResponseAlg) }, func(m oidc.Metadata) []string { return m.UserinfoEncryptionAlgValuesSupported }},
	{"Registration §2", "userinfo_encrypted_response_enc", func(c oidc.Client) []string { return one(c.UserinfoEncryptedResponseEnc) }, func(m oidc.Metadata) []string { return m.UserinfoEncryptionEncValuesSupported }},
	{"Registration §2", "request_object_signing_alg", func(c oidc.Client) []string { return one(c.RequestObjectSigningAlg) }, func(m oidc.Metadata) []string { return m.RequestObjectSigningAlgValuesSupported }},
	{"JARM §3", "authorization_signed_response_alg", func(c oidc.Client) []string { return one(c.AuthorizationSignedResponseAlg) }, func(m oidc.Metadata) []string { return m.AuthorizationSigningAlgValuesSupported }},
	{"RFC 9701 §6", "introspection_signed_response_alg", func(c oidc.Client) []string { return one(c.IntrospectionSignedResponseAlg) }, func(m oidc.Metadata) []string { return m.IntrospectionSigningAlgValuesSupported }},
}

// judge holds the metadata against all that it must keep. Its errors are those of RFC 7591 §3.2.2.
func judge(ctx context.Context, r request) error {
	for _, problem := range r.Problems() {
		return codeOf(problem.Field).Errorf("%s %.500s", problem.Field, problem.Text)
	}
	for _, c := range choices {
		for _, value := range c.Given(r.Client) {
			if listed := c.Listed(r.Provider); !slices.Contains(listed, value) {
				return oidc.InvalidClientMetadata.Errorf("%s is %.100q; this provider has %s (%s)", c.Field, value, orNone(listed), c.Spec)
			}
		}
	}
	for _, rule := range rules {
		if wrong := rule.Wrong(r); wrong != "" {
			return rule.Else.Errorf("expected: %s (%s); got %.300s", rule.Text, rule.Spec, wrong)
		}
	}
	return r.Endpoint.checkSector(ctx, r.Client)
}

func orNone(listed []string) string {
	if len(listed) == 0 {
		return "none"
	}
	return strings.Join(listed, ", ")
}

// codeOf: RFC 7591 §3.2.2: invalid_redirect_uri is for "one or more redirection URIs", invalid_client_metadata for the rest.
func codeOf(field string) oidc.ErrorCode {
	if strings.HasPrefix(field, "redirect_uris") {
		return oidc.InvalidRedirectURI
	}
	return oidc.InvalidClientMetadata
}

// first is the first of the values that is wrong, "" for none.
func first(values []string, wrong func(string) bool) string {
	if i := slices.IndexFunc(values, wrong); i >= 0 {
		return values[i]
	}
	return ""
}

// isOpenHTTP tells whether a code would travel to the URI for everybody to read. A provider on this machine may be asked by any
// name that its hosts file knows.
func (e *Endpoint) isOpenHTTP(uri string) bool {
	u, err := url.Parse(uri)
	return err != nil || u.Scheme == "http" && !e.Development && !oidc.IsLoopback(u.Hostname())
}

// isCommonScheme: RFC 8252 §8.4: "At a minimum, any private-use URI scheme that doesn't contain a period character (.) SHOULD be
// rejected": intent, ftp and the like belong to others.
func isCommonScheme(uri string) bool {
	u, err := url.Parse(uri)
	return err != nil || u.Scheme != "https" && u.Scheme != "http" && !strings.Contains(u.Scheme, ".")
}

func isNotNative(uri string) bool {
	u, err := url.Parse(uri)
	return err != nil || u.Scheme == "https" || u.Scheme == "http" && !oidc.IsLoopback(u.Hostname())
}

// checkSector: Registration §5: the document at sector_identifier_uri is "a JSON array of redirect_uri values", and "the values
// registered in redirect_uris MUST be included in the elements of the array, or registration MUST fail".
func (e *Endpoint) checkSector(ctx context.Context, c oidc.Client) error {
	if c.SectorIdentifierURI == "" {
		return nil
	}
	refuse := func(format string, a ...any) error {
		return oidc.InvalidClientMetadata.Errorf("sector_identifier_uri %.300s: %s (Registration §5)", c.SectorIdentifierURI, fmt.Sprintf(format, a...))
	}
	text, err := e.Fetch.Get(ctx, c.SectorIdentifierURI)
	if err != nil {
		return refuse("%s", fetch.Why(err)) // and nothing of the network behind the provider
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
