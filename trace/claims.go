package trace

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hush-idp/hush/oidc"
)

// unasked returns why the app may show no name. Scope profile or email was granted at a sign-in, and the app has not
// asked userinfo for their claims (Core §5.4). The result is empty if the request has the parameter claims, or the ID
// token has a claim about the user. A request to userinfo withdraws the reason.
func (h *Hub) unasked(f *flow, r *Record) finding {
	if r.Endpoint == "userinfo" {
		f.withdraw(claimsUnasked)
	}
	if !f.authorize || f.Silent || r.Endpoint != "token" || r.failed() || r.Preflight() {
		return nil
	}
	scope := oidc.ParseScope(valueOf(r.Answer, "scope").Text).Within(oidc.Scope{"profile", "email"})
	asksByName := func(k *Record) bool { return has(k.Params, "claims") || k.Endpoint == "userinfo" }
	if len(scope) == 0 || !r.bareIDToken() || slices.ContainsFunc(f.records, asksByName) {
		return nil
	}
	return found(fmt.Sprintf("scope %s was granted, the ID token has none of its claims, and the app has not asked "+
		"userinfo so far. Inferred: an app that reads names in the ID token shows none. Give client %s the line "+
		"id_token_claims: scope in the configuration, or let the app ask userinfo (in oidc-client-ts: loadUserInfo: true)",
		scope, f.ClientID))
}

// bareIDToken reports whether the answer has an ID token without a claim about the user.
func (r *Record) bareIDToken() bool {
	for _, m := range r.taken {
		if m.rule != nil {
			continue
		}
		token := valueOf(m.step.Values, "id_token").Decoded
		_, payload, _ := strings.Cut(strings.TrimPrefix(string(token), undecoded), ".")
		var claims map[string]json.RawMessage
		if json.Unmarshal(segment(payload), &claims) == nil && claims != nil {
			about := func(name string) bool { return !oidc.IsReservedClaim(name) }
			return !slices.ContainsFunc(slices.Collect(maps.Keys(claims)), about)
		}
	}
	return false
}
