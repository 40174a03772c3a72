// Package check judges an app by what the provider saw of it, and by what the provider can fetch from it. The developer
// drives the app; each check then holds, fails, was not seen yet, or cannot be seen from the provider.
//
//	trace.Flow ─┐
//	Page ───────┼─► Judge ─► Checks ─► Finding: what was seen, what is inferred, section, remedy
//	Library ────┘
//
// A check is a pure function. What was seen and what is inferred are separate texts. The causes of a failure are the
// reason codes of the trace, so this package has no list of causes. The remedies of each library are data, in
// libraries.yaml.
package check
