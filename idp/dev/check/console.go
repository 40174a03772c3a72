package check

import (
	"slices"

	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// OfApps returns the flows without those of the console's tab Try it: they say nothing about the app of the client.
func OfApps(client oidc.Client, flows []trace.Flow) []trace.Flow {
	return slices.DeleteFunc(slices.Clone(flows), func(f trace.Flow) bool {
		return slices.ContainsFunc(f.Records, func(r trace.Record) bool { return isOfConsole(&client, &r) })
	})
}

// isOfConsole reports whether the console sent the request: an authorization request with the redirect URI of the
// console, or a token request with the provider's own origin, if no app of the client has this origin.
func isOfConsole(client *oidc.Client, r *trace.Record) bool {
	if r.Endpoint != "token" {
		return r.Fresh() && (&event{record: r}).param("redirect_uri") == callbackOfConsole(r.Issuer)
	}
	own := oidc.Origin(r.Issuer)
	isApp := func(uri string) bool { return oidc.Origin(uri) == own }
	return own != "" && oidc.Origin(r.Origin) == own && !slices.ContainsFunc(ofApp(client, r.Issuer), isApp)
}

func callbackOfConsole(issuer string) string { return issuer + endpoint.PathConsole + "/callback" }

// ofApp are the redirect URIs of the client without that of the console.
func ofApp(client *oidc.Client, issuer string) []string {
	isConsole := func(uri string) bool { return uri == callbackOfConsole(issuer) }
	return slices.DeleteFunc(slices.Clone(client.RedirectURIs), isConsole)
}
