package oidc

import (
	"encoding/json"
	"slices"
)

// Audience is the aud claim. RFC 7519 §4.1.3: "In the general case, the "aud" value is an array of case-sensitive
// strings […] In the special case when the JWT has one audience, the "aud" value MAY be a single case-sensitive
// string".
// https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3
type Audience []string

// Has tells whether value is among the audience.
func (a Audience) Has(value string) bool { return slices.Contains(a, value) }

// MarshalJSON writes one value as a string, several as an array.
func (a Audience) MarshalJSON() ([]byte, error) {
	if len(a) == 1 {
		return json.Marshal(a[0])
	}
	return json.Marshal([]string(a))
}

// UnmarshalJSON reads a string or an array of strings.
func (a *Audience) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = Audience{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}
