// Command idp is the Hush identity provider.
//
//	flags, HUSH_* environment, YAML file ─► settings ─► idp.Config ─► idp.New ─► serve until SIGINT or SIGTERM
//
//	main.go      the command line
//	settings.go  four sources become one: flags over environment over file over defaults
//	file.go      the YAML file, and problems shown by file and line
//	schema.go    the form of each key, from the tags of the struct that the file is read into
//	serve.go     listening, limits, graceful end
//	tls.go       certificates from files, or a self-signed one for development
//	observe/     metrics for Prometheus, spans for OpenTelemetry
//
// Other commands work on the settings, or on the store, beside the provider or in its absence:
//
//	check.go     what the provider would run with, or every problem
//	store.go     the store, and what commands need of it
//	keys.go      keys list, keys rotate
//	sessions.go  sessions list, sessions end
//	tokens.go    token: an access token without a sign-in; registration-token
//	hash.go      hash-password
package main
