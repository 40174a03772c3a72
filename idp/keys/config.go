package keys

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/oidc"
)

// shortestRotation is the minimum of rotate_every, because each old key stays published until its last signature has
// expired.
const shortestRotation = time.Hour

// Check reports what is wrong with signing_keys and rotate_every. hints is how long an id_token_hint should be valid.
// Replaced keys stay published for as long, and Check reports more than ten of them.
func Check(specs []Spec, rotateEvery, hints time.Duration, report oidc.Report) {
	seen, files := map[jose.SignatureAlgorithm]bool{}, 0
	for i, spec := range specs {
		at := fmt.Sprintf("signing_keys[%d].alg", i)
		report.When(!slices.Contains(Algorithms(), spec.Alg), at,
			"%q is not supported; supported are %v", spec.Alg, Algorithms())
		report.When(seen[spec.Alg], at, "%s is configured twice: keep one key for each alg", spec.Alg)
		seen[spec.Alg] = true
		if spec.File != "" {
			files++
		}
	}
	shortest := max(shortestRotation, hints/10)
	report.When(rotateEvery < 0 || rotateEvery > 0 && rotateEvery < shortest, "rotate_every",
		"%v is less than %v: write a duration such as 720h", rotateEvery, shortest)
	report.When(rotateEvery > 0 && files == len(specs), "rotate_every", "is set, but all signing_keys come from files, "+
		"and the provider cannot replace a file: leave out the file of one key, or rotate_every")
}

// DefaultAlg is the alg of signatures for a client that registered none.
func DefaultAlg(specs []Spec) string {
	algs := make([]jose.SignatureAlgorithm, len(specs))
	for i, spec := range specs {
		algs[i] = spec.Alg
	}
	return string(oidc.DefaultSigningAlg(algs))
}
