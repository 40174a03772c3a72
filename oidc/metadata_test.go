package oidc_test

import (
	"encoding/json"
	"testing"

	"github.com/hush-idp/hush/oidc"
)

// Discovery §3: request_uri_parameter_supported: "If omitted, the default value is true." So false has to be written.
func TestMetadataWritesWhatIsNotSupported(t *testing.T) {
	text, err := json.Marshal(oidc.Metadata{})
	if err != nil {
		t.Fatal(err)
	}
	var written map[string]any
	if err := json.Unmarshal(text, &written); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"request_uri_parameter_supported", "request_parameter_supported",
		"claims_parameter_supported"} {
		if supported, isBool := written[name].(bool); !isBool || supported {
			t.Errorf("%s = %v; want false", name, written[name])
		}
	}
}
