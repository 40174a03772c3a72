// Package users is the directory of the users: their names, their password checks, and the claims (Core §5.1) that
// clients may get.
//
// Where teaching ends: the directory is read from the configuration and held in memory. In production a provider uses a
// user database or another identity provider, and supports second factors. Package idp/limit limits wrong passwords.
package users
