package authorize

import (
	"cmp"
	"slices"

	"github.com/hush-idp/hush/oidc"
)

// parseClaims reads the claims parameter (Core §5.5).
// https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter
func (e *Endpoint) parseClaims(r *Request, wire string) error {
	asked, err := oidc.ParseClaims(wire)
	if r.faults.claims = err; asked == nil {
		return nil
	}
	allowed := r.Client.AllowedScope(e.Scopes)
	r.Claims, r.ClaimsScope = e.Release.Within(asked, allowed), e.Release.Scope(asked, allowed)
	if acr := asked.IDToken["acr"]; acr != nil {
		wanted := texts(acr)
		r.ACRValues = append(slices.Clone(wanted), r.ACRValues...)
		if acr.Essential {
			r.EssentialACR = wanted
		}
	}
	r.WantedSub, err = e.reveal(r.Client, wantedSub(asked))
	return err
}

// wantedSub is the user that the request is about by a value of the claim sub. Core §5.5.1: it "can be used to specify
// that the request apply to the End-User with Subject Identifier".
func wantedSub(asked *oidc.ClaimsRequest) string {
	for _, member := range []map[string]*oidc.ClaimRequest{asked.IDToken, asked.Userinfo} {
		sub := member["sub"]
		if sub == nil || sub.Value == nil && len(sub.Values) == 0 {
			continue
		}
		return append(texts(sub), foreign)[0] // what is no string is nobody's
	}
	return ""
}

// texts are the value and the values that are asked for, where they are strings.
func texts(request *oidc.ClaimRequest) []string {
	var found []string
	for _, value := range append([]any{request.Value}, request.Values...) {
		if text, ok := value.(string); ok && text != "" {
			found = append(found, text)
		}
	}
	return found
}

// foreign is the sub of nobody here.
const foreign = "\x00"

// reveal finds the user that has this sub at the client; it differs from the provider's if the client has pairwise subs
// (Core §8.1).
func (e *Endpoint) reveal(client oidc.Client, shown string) (string, error) {
	if shown == "" {
		return "", nil
	}
	sub, err := e.Subjects.Reveal(client, shown)
	return cmp.Or(sub, foreign), err
}
