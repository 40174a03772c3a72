package oidc

import (
	"encoding/json"
	"errors"
)

// A stored request is MessagePack, by methods that go generate writes.
//
//go:generate go tool msgp -io=false -tests=false
//msgp:tag json

// ClaimsRequest is the claims parameter (Core §5.5): which claims are wanted, and where.
// https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter
type ClaimsRequest struct {
	Userinfo map[string]*ClaimRequest `json:"userinfo,omitempty"`
	IDToken  map[string]*ClaimRequest `json:"id_token,omitempty"`
}

// ClaimRequest says how one claim is wanted (Core §5.5.1). nil (JSON null) requests a voluntary claim.
type ClaimRequest struct {
	Essential bool  `json:"essential,omitempty"`
	Value     any   `json:"value,omitempty"`
	Values    []any `json:"values,omitempty"`
}

// ParseClaims reads the wire form, a JSON object; "" is no request. Unknown members are ignored (Core §5.5). Its
// errors are for the developer of the client.
func ParseClaims(wire string) (*ClaimsRequest, error) {
	if wire == "" {
		return nil, nil
	}
	var request *ClaimsRequest
	if err := json.Unmarshal([]byte(wire), &request); err != nil {
		return nil, errors.New(JSONFault(err))
	}
	if request == nil {
		return nil, errors.New("it is null")
	}
	return request, nil
}
