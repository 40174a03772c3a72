package check

import (
	"slices"

	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// OfApps returns the flows without those of the console's tab Try it: they say nothing about the app of the client.
func OfApps(flows []trace.Flow) []trace.Flow {
	return slices.DeleteFunc(slices.Clone(flows), func(f trace.Flow) bool {
		return slices.ContainsFunc(f.Records, func(r trace.Record) bool { return isOfConsole(&r) })
	})
}

// isOfConsole reports whether the console sent the request, as the Referer of each of its requests says, or gets the
// answer at its redirect URI.
func isOfConsole(r *trace.Record) bool {
	return r.Referer == r.Issuer+endpoint.PathConsole ||
		r.Fresh() && (&event{record: r}).param("redirect_uri") == callbackOfConsole(r.Issuer)
}

func callbackOfConsole(issuer string) string { return issuer + endpoint.PathConsole + "/callback" }

// ofApp are the redirect URIs of the client without that of the console.
func ofApp(client *oidc.Client, issuer string) []string {
	isConsole := func(uri string) bool { return uri == callbackOfConsole(issuer) }
	return slices.DeleteFunc(slices.Clone(client.RedirectURIs), isConsole)
}
