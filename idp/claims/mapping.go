package claims

import (
	"encoding/json"
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
	text, err := json.Marshal(own)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage // numbers stay as they were written
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	all := map[string]any{}
	maps.Copy(all, more)
	for name, value := range members {
		all[name] = value
	}
	return all, nil
}
