package idp

// DPoPConfig says what is demanded of DPoP proofs (RFC 9449).
type DPoPConfig struct {
	// RequireNonce demands a nonce of this provider in every proof. Without it a nonce is checked where it comes, and clients
	// with profile fapi2 need one.
	RequireNonce bool `yaml:"require_nonce"`
}
