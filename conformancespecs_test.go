package hush_test

import "regexp"

// specifications are the documents that this provider follows, in the order of the index.
var specifications = []specification{
	{
		"Core", "OpenID Connect Core 1.0", "https://openid.net/specs/openid-connect-core-1_0.html",
		`2 3.1.2.1 3.1.2.2 3.1.2.3 3.1.2.4 3.1.2.5 3.1.2.6 3.1.3.1 3.1.3.2 3.1.3.3 3.1.3.4 3.1.3.6 5.1 5.3 5.3.1
		5.3.2 5.3.3 5.4 5.5
		5.5.1 5.5.1.1 5.6 5.7 6.1 6.2 6.2.2 6.2.3 6.3.1 6.3.2 6.3.3 8 8.1 9 10.1 10.1.1 10.2 11 12.1 12.2 12.3 15.1`,
	},
	{
		"Discovery", "OpenID Connect Discovery 1.0", "https://openid.net/specs/openid-connect-discovery-1_0.html",
		"3 4 4.1 4.2",
	},
	{
		"Registration", "OpenID Connect Dynamic Client Registration 1.0",
		"https://openid.net/specs/openid-connect-registration-1_0.html", "2 3.1 3.2 3.3 4.2 4.3 4.4 5",
	},
	{
		"Session Management", "OpenID Connect Session Management 1.0",
		"https://openid.net/specs/openid-connect-session-1_0.html", "2 3.1 3.2 3.3",
	},
	{
		"RP-Initiated Logout", "OpenID Connect RP-Initiated Logout 1.0",
		"https://openid.net/specs/openid-connect-rpinitiated-1_0.html", "2 2.1 3 3.1 4 6",
	},
	{
		"Front-Channel Logout", "OpenID Connect Front-Channel Logout 1.0",
		"https://openid.net/specs/openid-connect-frontchannel-1_0.html", "2 3",
	},
	{
		"Back-Channel Logout", "OpenID Connect Back-Channel Logout 1.0",
		"https://openid.net/specs/openid-connect-backchannel-1_0.html", "2.1 2.2 2.3 2.4 2.5 2.8",
	},
	{
		"Form Post Response Mode", "OAuth 2.0 Form Post Response Mode",
		"https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html", "2",
	},
	{
		"OAuth 2.0 Web Message Response Mode", "OAuth 2.0 Web Message Response Mode (draft)",
		"https://datatracker.ietf.org/doc/html/draft-sakimura-oauth-wmrm", "",
	},
	{
		"JARM", "JWT Secured Authorization Response Mode for OAuth 2.0", "https://openid.net/specs/oauth-v2-jarm.html",
		"2.1 2.3.1 2.3.2 2.3.3 2.3.4 3",
	},
	{
		"FAPI 2.0", "FAPI 2.0 Security Profile", "https://openid.net/specs/fapi-security-profile-2_0-final.html",
		"5.3.2.1 5.3.2.2 5.4.1",
	},
	{
		"RFC 6749", "The OAuth 2.0 Authorization Framework", "https://www.rfc-editor.org/rfc/rfc6749",
		"2.3 2.3.1 3.1 3.1.1 3.1.2 3.1.2.2 3.1.2.3 3.1.2.4 3.2 3.2.1 3.3 4.1.1 4.1.2 4.1.2.1 4.1.3 4.1.4 4.4 4.4.2 4.4.3 " +
			"5.1 5.2 6 10.1 10.2 10.3 10.4 10.5 10.6 10.10 10.12 10.13 10.14 10.15",
	},
	{"RFC 6750", "Bearer Token Usage", "https://www.rfc-editor.org/rfc/rfc6750", "2 2.1 2.2 3 3.1"},
	{"RFC 7009", "Token Revocation", "https://www.rfc-editor.org/rfc/rfc7009", "2 2.1 2.2 2.2.1"},
	{"RFC 7523", "JWT Profile for Client Authentication", "https://www.rfc-editor.org/rfc/rfc7523", "2.2 3 3.2"},
	{
		"RFC 7591", "Dynamic Client Registration", "https://www.rfc-editor.org/rfc/rfc7591",
		"2 2.1 2.3 3 3.1 3.1.1 3.2.1 3.2.2",
	},
	{"RFC 7592", "Dynamic Client Registration Management", "https://www.rfc-editor.org/rfc/rfc7592", "2 2.1 2.2 2.3 3"},
	{"RFC 7636", "Proof Key for Code Exchange", "https://www.rfc-editor.org/rfc/rfc7636", "4.2 4.3 4.4 4.4.1 4.6"},
	{"RFC 7662", "Token Introspection", "https://www.rfc-editor.org/rfc/rfc7662", "2.1 2.2 2.3 4"},
	{"RFC 8252", "OAuth 2.0 for Native Apps", "https://www.rfc-editor.org/rfc/rfc8252", "7.3"},
	{"RFC 8414", "Authorization Server Metadata", "https://www.rfc-editor.org/rfc/rfc8414", "2 3 3.1 3.2"},
	{
		"RFC 8628", "Device Authorization Grant", "https://www.rfc-editor.org/rfc/rfc8628",
		"3.1 3.2 3.3 3.3.1 3.4 3.5 5.1 6.1",
	},
	{"RFC 8707", "Resource Indicators", "https://www.rfc-editor.org/rfc/rfc8707", "2 2.1 2.2"},
	{"RFC 9068", "JWT Profile for Access Tokens", "https://www.rfc-editor.org/rfc/rfc9068", "2.1 2.2 2.2.1 2.2.3 3 4 5"},
	{
		"RFC 9101", "JWT-Secured Authorization Request", "https://www.rfc-editor.org/rfc/rfc9101",
		"4 5 5.2 5.2.3 6.1 6.2 6.3 7 10.5 10.8",
	},
	{"RFC 9126", "Pushed Authorization Requests", "https://www.rfc-editor.org/rfc/rfc9126", "2 2.1 2.2 2.3 3 4 5 6"},
	{"RFC 9207", "Authorization Server Issuer Identification", "https://www.rfc-editor.org/rfc/rfc9207", "2 2.3 3"},
	{
		"RFC 9449", "Demonstrating Proof of Possession (DPoP)", "https://www.rfc-editor.org/rfc/rfc9449",
		"4.1 4.3 5 5.1 5.2 6.1 6.2 7.1 7.2 8 8.1 8.2 9 10 10.1 11.1",
	},
	{
		"RFC 9700", "Best Current Practice for OAuth 2.0 Security", "https://www.rfc-editor.org/rfc/rfc9700",
		"2.1 2.1.1 2.2.2 2.4 2.5 2.6 4.1.3 4.5.3.1 4.8.2 4.11 4.12 4.14.2 4.16",
	},
	{"RFC 9701", "JWT Response for Token Introspection", "https://www.rfc-editor.org/rfc/rfc9701", "4 5 6 8.1"},
}

func names() []string {
	var all []string
	for _, spec := range specifications {
		all = append(all, regexp.QuoteMeta(spec.name))
	}
	return all
}
