package authorize

import (
	"slices"

	"github.com/hush-idp/hush/idp/session"
)

// Level is a value of acr, and the ways to sign in that reach it, by their amr (RFC 8176 §2).
type Level struct {
	Value string   `yaml:"value"`
	AMR   []string `yaml:"amr"`
}

// Levels are those that an installation has, the highest first.
type Levels []Level

// Values lists the values of acr.
func (l Levels) Values() []string {
	values := make([]string, len(l))
	for i, level := range l {
		values[i] = level.Value
	}
	return values
}

// Reached lists the values that the sign-in reaches, the highest first.
func (l Levels) Reached(account session.Account) []string {
	var reached []string
	for _, level := range l {
		if slices.ContainsFunc(account.AMR, func(amr string) bool { return slices.Contains(level.AMR, amr) }) {
			reached = append(reached, level.Value)
		}
	}
	if len(reached) == 0 {
		return []string{account.ACR}
	}
	return reached
}

// acr is what the tokens say: of what was wanted the first that the sign-in reaches, else the highest. Core §5.5.1.1: "If the acr
// Claim is not Essential, the Authorization Server […] SHOULD attempt to satisfy the request; it is not an error if it can not."
func (s Situation) acr() string {
	reached := s.Levels.Reached(*s.Account)
	for _, wanted := range s.ACRValues {
		if slices.Contains(reached, wanted) {
			return wanted
		}
	}
	return reached[0]
}

// lacksACR tells whether the sign-in is not one of those that the request accepts.
func (s Situation) lacksACR() bool {
	return s.EssentialACR != nil && !slices.Contains(s.EssentialACR, s.acr())
}

// cannotReachACR tells whether another sign-in would not help: there is no such level, or the user has just tried.
func (s Situation) cannotReachACR() bool {
	known := slices.ContainsFunc(s.Levels, func(l Level) bool { return slices.Contains(s.EssentialACR, l.Value) })
	return !known || s.justNow(s.Account.AuthTime)
}
