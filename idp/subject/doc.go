// Package subject is the room of the names that a user has with clients: the sub that leaves the house. For most clients it is
// the user's own sub; a pairwise client gets one of its sector's own, so that two sectors cannot tell by it that they talk about
// the same person (Core §8).
//
//	Of(client, sub)        ──► sub                                         (subject_type public)
//	                      └──► HMAC-SHA256(salt, sector, sub)              (subject_type pairwise)
//	Reveal(client, shown)  ──► the user whose sub is shown to the client so
//
// The hash leads nowhere back, so Reveal remembers what was made lately, and else makes it again for every user there is.
//
// Where teaching ends: a salt that is lost cannot be replaced: with another one every pairwise client has all its users anew.
package subject
