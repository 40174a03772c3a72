// Package jwe encrypts to a client what only that client may read: ID tokens and userinfo (Core §10.2, RFC 7516).
//
//	signed JWT ──► Encrypt ──► the client's public key, by alg ──► a JWE in compact form, cty JWT
//
// What is signed is signed first and encrypted then, so that the signature can be shown to others, and nobody else can read
// who signed what.
//
// Where teaching ends: nothing is encrypted with a client's secret (alg dir and A128KW), and RSA1_5 is left out, which has been
// broken where an implementation was careless (RFC 8725 §3.2).
package jwe
