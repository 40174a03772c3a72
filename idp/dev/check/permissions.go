package check

import (
	"slices"
	"strings"

	"github.com/dunglas/httpsfv"

	"github.com/hush-idp/hush/oidc"
)

// allowlist returns the allowlist of a feature, and its text. All lines of the header are one dictionary (RFC 9651): of
// two members with one name the last counts, and a mistake anywhere makes it void. Without a list every origin may use
// the feature, as far as the header says.
// https://www.w3.org/TR/permissions-policy/#permissions-policy-http-header-field
func allowlist(lines []string, feature string) (list []httpsfv.Item, text string, ok bool) {
	policy, err := httpsfv.UnmarshalDictionary(lines)
	if err != nil {
		return nil, "", false
	}
	member, ok := policy.Get(feature)
	switch m := member.(type) {
	case httpsfv.Item:
		list = []httpsfv.Item{m}
		text, _ = httpsfv.Marshal(m) // what was parsed can be written
	case httpsfv.InnerList:
		list = m.Items
		text, _ = httpsfv.Marshal(m)
	}
	return list, text, ok
}

// permits reports whether the allowlist of a page at the origin own lets the provider in an iframe use the feature. A
// page gives what it has itself, so both origins must be on the list. Chromium takes "*" with and without quotes.
// https://www.w3.org/TR/permissions-policy/#define-inherited-policy
func permits(list []httpsfv.Item, own, provider string) bool {
	isOn := func(origin string) bool {
		return slices.ContainsFunc(list, func(item httpsfv.Item) bool {
			switch value := item.Value.(type) {
			case httpsfv.Token:
				return value == "*" || value == "self" && origin == own
			case string:
				return matchesOrigin(value, origin, own)
			}
			return false
		})
	}
	return isOn(own) && isOn(provider)
}

// matchesOrigin reports whether a source expression with a scheme names the origin; its path does not count.
func matchesOrigin(expression, origin, own string) bool {
	scheme, rest, hasHost := strings.Cut(expression, "://")
	if !hasHost {
		return expression == "*" || strings.HasSuffix(expression, ":") && matches(expression, origin, own)
	}
	host, _, _ := strings.Cut(rest, "/")
	return matches(scheme+"://"+host, origin, own)
}

func (v *view) permissions() verdict {
	p, why := v.fetched(RoleStart)
	if p == nil {
		return why
	}
	if v.silent != nil && strings.HasPrefix(v.silent.record.Fetch.Site, "same-") {
		return found(Holds, "app and provider are on one site, so the provider needs no permission for its cookie")
	}
	own, provider := oidc.Origin(p.URL), oidc.Origin(v.Issuer)
	for _, feature := range []string{"storage-access", "identity-credentials-get"} {
		list, text, ok := allowlist(p.values("Permissions-Policy"), feature)
		if ok && !permits(list, own, provider) {
			return found(Fails, "%s has Permissions-Policy: %s=%s, and the list must allow both %s and %s", p.URL,
				feature, text, own, provider)
		}
	}
	return found(Holds, "no Permissions-Policy of %s denies storage access to the provider", p.URL)
}
