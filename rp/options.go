package rp

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// The values of Config.ResponseMode.
const (
	responseModeQuery    = "query"
	responseModeFormPost = "form_post"
)

// keyProblems says what is wrong with keys and what is done with them.
func (c Config) keyProblems() []error {
	errs := []error{c.authMethodProblem(), keyThatSigns("ClientKey", c.ClientKey), keyThatSigns("DPoPKey", c.DPoPKey)}
	for i := range c.DecryptionKeys {
		errs = append(errs, privateKey(fmt.Sprintf("DecryptionKeys[%d]", i), &c.DecryptionKeys[i]))
	}
	if c.RequestObjects && c.ClientKey == nil {
		errs = append(errs, errors.New("rp: RequestObjects needs a ClientKey that signs them"))
	}
	if !slices.Contains([]string{"", responseModeQuery, responseModeFormPost}, c.ResponseMode) {
		errs = append(errs, fmt.Errorf("rp: ResponseMode %q is not one: use query or form_post", c.ResponseMode))
	}
	for field, alg := range map[string]string{
		"IDTokenSignedResponseAlg": c.IDTokenSignedResponseAlg, "UserinfoSignedResponseAlg": c.UserinfoSignedResponseAlg,
	} {
		if alg != "" && !slices.Contains(asymmetric, jose.SignatureAlgorithm(alg)) {
			errs = append(errs, fmt.Errorf("rp: %s %q is none of %s", field, alg, asymmetric))
		}
	}
	return errs
}

// keyThatSigns wants a private key that signs by its alg; nil is none.
func keyThatSigns(field string, key *jose.JSONWebKey) error {
	if err := privateKey(field, key); key == nil || err != nil {
		return err
	}
	signer, err := jose.NewSigner(signingKeyOf(key), nil)
	if err == nil {
		_, err = signer.Sign(nil)
	}
	if err != nil || !slices.Contains(asymmetric, jose.SignatureAlgorithm(key.Algorithm)) {
		return fmt.Errorf("rp: %s does not sign by its alg %s: %w", field, key.Algorithm, errors.Join(err, errors.New("use one of RFC 7518 §3.1 that fits the key")))
	}
	return nil
}

// privateKey wants a private key with an alg; nil is none.
func privateKey(field string, key *jose.JSONWebKey) error {
	switch {
	case key == nil:
		return nil
	case key.IsPublic() || !key.Valid():
		return fmt.Errorf("rp: %s is not a private key", field)
	case key.Algorithm == "":
		return fmt.Errorf("rp: %s has no alg: say for which algorithm it is registered, such as ES256", field)
	}
	return nil
}

// essentialACRs are the values of acr of which the ID Token must have one: Core §5.5.1.1. Without any, whatever comes is fine.
func (c Config) essentialACRs() (values []string) {
	if c.Claims == nil || c.Claims.IDToken["acr"] == nil || !c.Claims.IDToken["acr"].Essential {
		return nil
	}
	acr := c.Claims.IDToken["acr"]
	for _, value := range append(slices.Clone(acr.Values), acr.Value) {
		if text, ok := value.(string); ok {
			values = append(values, text)
		}
	}
	return values
}
