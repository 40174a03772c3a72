// Package users is the directory of the people who can sign in: their names, how they prove who they are, and the
// claims (Core §5.1) that clients may learn about them.
//
// Where teaching ends: the directory is read from the configuration and held in memory. Production asks a user database
// or another identity provider, and knows second factors. How often somebody may guess is for idp/limit to say.
package users
