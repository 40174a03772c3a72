package oidc_test

import (
	"encoding/json"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/oidc"
)

func TestAJSONFaultIsASentence(t *testing.T) {
	type document struct {
		Text   string      `json:"text"`
		Number int         `json:"number"`
		Flag   bool        `json:"flag"`
		List   []string    `json:"list"`
		Secret oidc.Secret `json:"secret"`
		Time   time.Time   `json:"time"`
		Ratio  float64     `json:"ratio"`
		Below  struct {
			Text string `json:"text"`
		} `json:"below"`
	}
	for text, want := range map[string]string{
		`{"text":5}`:            "text is of the JSON type number; expected a string",
		`{"number":"5"}`:        "number is of the JSON type string; expected a whole number",
		`{"number":1.5}`:        "number is of the JSON type number 1.5; expected a whole number",
		`{"flag":"yes"}`:        "flag is of the JSON type string; expected true or false",
		`{"list":"a"}`:          "list is of the JSON type string; expected an array",
		`{"secret":{}}`:         "secret is of the JSON type object; expected a string",
		`{"ratio":"x"}`:         "ratio is of the JSON type string; expected a number",
		`{"below":{"text":[]}}`: "below.text is of the JSON type array; expected a string",
		`{"below":1}`:           "below is of the JSON type number; expected an object",
		`[]`:                    "it is of the JSON type array; expected an object",
		`{"time":"noon"}`:       "a time has another form than 2026-11-29T09:00:00Z (RFC 3339)",
		`{"more":1}`:            `the member "more" is not known: correct its name, or leave it out`,
		`{"text":"a",}`:         "it is no JSON at byte 13",
		`{"text":`:              "it ends too early",
		``:                      "it ends too early",
	} {
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.DisallowUnknownFields()
		err := decoder.Decode(new(document))
		if err == nil || oidc.JSONFault(err) != want {
			t.Errorf("%s: %v is told as %q; want %q", text, err, oidc.JSONFault(err), want)
		}
	}
	address := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 7)}
	broken := &net.OpError{Op: "read", Net: "tcp", Addr: address, Err: os.ErrDeadlineExceeded}
	if got := oidc.JSONFault(broken); strings.Contains(got, "10.0.0.7") || !strings.Contains(got, "in time") {
		t.Errorf("a body that did not come in time is told as %q", got)
	}
}

func TestWhatIsWrongWithTheClaimsParameter(t *testing.T) { // Core §5.5
	for wire, want := range map[string]string{
		"null": "it is null", "5": "it is of the JSON type number; expected an object", "{": "it is no JSON at byte 1",
	} {
		if _, err := oidc.ParseClaims(wire); err == nil || err.Error() != want {
			t.Errorf("ParseClaims(%q) = %v; want %q", wire, err, want)
		}
	}
}
