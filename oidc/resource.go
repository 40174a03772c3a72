package oidc

import (
	"net/url"
	"slices"
	"strings"
)

// ParseResources reads the resource parameters of a request: the APIs that access tokens are to be for, each at most once. known
// are those that there may be tokens for; see Client.AllowedResources. RFC 8707 §2: the value "MUST be an absolute URI […] The URI
// MUST NOT include a fragment component." Its errors are invalid_target.
// https://www.rfc-editor.org/rfc/rfc8707#section-2
func ParseResources(values, known []string) ([]string, error) {
	var resources []string
	for _, value := range values {
		u, err := url.Parse(value)
		switch {
		case value == "": // RFC 6749 §3.1: as if it were omitted
			continue
		case err != nil || !u.IsAbs() || strings.ContainsFunc(value, notURI):
			return nil, InvalidTarget.Errorf("resource %.200q is no absolute URI; write it whole, like https://api.example.com (RFC 8707 §2)", value)
		case strings.Contains(value, "#"):
			return nil, InvalidTarget.Errorf("resource %.200q has a fragment: remove the # and what follows (RFC 8707 §2)", value)
		case !slices.Contains(known, value):
			return nil, InvalidTarget.Errorf("there are no access tokens for resource %.200q here; there are for %s (RFC 8707 §2)", value, strings.Join(known, ", "))
		case !slices.Contains(resources, value):
			resources = append(resources, value)
		}
	}
	return resources, nil
}

// AllowedResources are the APIs that the client may ask access tokens for: those of the provider, and its own audience.
func (c Client) AllowedResources(provider []string) []string {
	if c.Audience == "" || slices.Contains(provider, c.Audience) {
		return provider
	}
	return append(slices.Clip(provider), c.Audience)
}
