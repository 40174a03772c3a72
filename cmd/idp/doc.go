// Command idp is the Hush identity provider.
//
//	flags, HUSH_* environment, YAML file ─► settings ─► idp.Config ─► idp.New ─► serve until SIGINT or SIGTERM
//
//	main.go      the command line
//	settings.go  four sources become one: flags over environment over file over defaults
//	file.go      the YAML file, and problems shown by file and line
//	serve.go     listening, limits, graceful end
//	tls.go       certificates from files, or a self-signed one for development
//	hello.go     what is printed at start
package main
