package reasons

import "github.com/hush-idp/hush/oidc"

// Reason explains one code. Each text is a paragraph; code in it stands between backticks.
type Reason struct {
	Code      oidc.Reason
	Title     string // a short sentence without a full stop
	Happened  string
	HowWeKnow string
	HowSure   string
	WhatToDo  string
	Spec      []Link
}

// Link leads to a place in a specification.
type Link struct{ Text, URL string }

// Group is the reasons that concern one thing.
type Group struct {
	Title   string
	Lead    string // what they have in common
	Reasons []Reason
}

// Groups are all reasons, in the order in which docs/reasons.md has them.
func Groups() []Group {
	return []Group{aboutSession, aboutRequest, aboutToken, aboutSeveral}
}

// All are the reasons of all groups.
func All() []Reason {
	var all []Reason
	for _, group := range Groups() {
		all = append(all, group.Reasons...)
	}
	return all
}

// ByCode returns the explanation of code.
func ByCode(code oidc.Reason) (Reason, bool) {
	for _, reason := range All() {
		if reason.Code == code {
			return reason, true
		}
	}
	return Reason{}, false
}

// The specifications that the explanations lead to.

func rfc6749(section string) Link { return rfc("6749", section) }

func rfc(number, section string) Link {
	return Link{Text: "RFC " + number + " §" + section, URL: "https://www.rfc-editor.org/rfc/rfc" + number + "#section-" + section}
}

func core(section, anchor string) Link {
	return Link{Text: "OpenID Connect Core §" + section, URL: "https://openid.net/specs/openid-connect-core-1_0.html#" + anchor}
}

var (
	coreAuthRequest   = core("3.1.2.1", "AuthRequest")
	coreAuthError     = core("3.1.2.6", "AuthError")
	fetchMetadata     = Link{Text: "Fetch Metadata Request Headers", URL: "https://www.w3.org/TR/fetch-metadata/"}
	storageAccess     = Link{Text: "Storage Access Headers", URL: "https://privacycg.github.io/storage-access-headers/"}
	sameSite          = Link{Text: "Cookies (RFC 6265bis) §5.2, same-site requests", URL: "https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#name-same-site-and-cross-site-re"}
	fetchCORS         = Link{Text: "Fetch: the CORS protocol", URL: "https://fetch.spec.whatwg.org/#http-cors-protocol"}
	referrerPolicy    = Link{Text: "Referrer Policy §3", URL: "https://www.w3.org/TR/referrer-policy/#referrer-policies"}
	frameAncestors    = Link{Text: "CSP Level 3, frame-ancestors", URL: "https://www.w3.org/TR/CSP3/#directive-frame-ancestors"}
	idTokenValidation = core("3.1.3.7", "IDTokenValidation")
)
