package dpop

// Config is dpop: in the configuration, what the provider demands of proofs (RFC 9449).
type Config struct {
	// RequireNonce demands a nonce of this provider in every proof. Without it a nonce is checked if there is one, and
	// clients with profile fapi2 need one.
	RequireNonce bool `yaml:"require_nonce"`
}
