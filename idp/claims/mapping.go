package claims

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/hush-idp/hush/oidc"
)

// mapped returns the claims by the names of the client's claims_mapping. A claim that the mapping names has only the
// names that the mapping gives it. Constants are added. The claims themselves stay as they are: they may be a user's.
func mapped(claims, mapping map[string]any) map[string]any {
	if len(mapping) == 0 {
		return claims
	}
	result := map[string]any{}
	maps.Copy(result, claims)
	for _, source := range mapping {
		claim, _, _ := oidc.ClaimSource(source)
		delete(result, claim)
	}
	for _, name := range slices.Sorted(maps.Keys(mapping)) {
		claim, value, _ := oidc.ClaimSource(mapping[name])
		if claim != "" {
			value = claims[claim]
		}
		if value != nil {
			put(result, oidc.ClaimPath(name), value)
		}
	}
	return result
}

// put writes the value below the members of path. Objects on the way are copied before they are changed.
func put(claims map[string]any, path []string, value any) {
	last := len(path) - 1
	for _, name := range path[:last] {
		inner := map[string]any{}
		if object, ok := claims[name].(map[string]any); ok {
			maps.Copy(inner, object)
		}
		claims[name] = inner
		claims = inner
	}
	claims[path[last]] = value
}

// Merge returns the members of own, a struct of claims, and more claims beside them. None of these replaces a member of
// own.
func Merge(own any, more map[string]any) (map[string]any, error) {
	all, err := Members(own)
	if err != nil {
		return nil, err
	}
	for name, value := range more {
		if _, isOwn := all[name]; !isOwn {
			all[name] = value
		}
	}
	return all, nil
}

// Members returns the members of the JSON object that own, a struct of claims or a map, is written as. Each value is
// its JSON, so numbers stay as they are written. The caller may change the map.
func Members(own any) (map[string]any, error) {
	text, err := json.Marshal(own)
	if err != nil {
		return nil, err
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("the claims are no JSON object: %w", err)
	}
	members := make(map[string]any, len(raw))
	for name, value := range raw {
		members[name] = value
	}
	return members, nil
}
