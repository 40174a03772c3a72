package dpop

// Config is the section dpop of the configuration: the requirements for proofs (RFC 9449).
type Config struct {
	// RequireNonce demands a nonce of this provider in every proof. Without it a nonce is checked if there is one, and
	// clients with profile fapi2 need one.
	RequireNonce bool `yaml:"require_nonce"`
}
