package claims_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/claims"
	"github.com/hush-idp/hush/oidc"
)

// mappings are the claims of a client with one claims_mapping each.
var mappings = []struct {
	name    string
	mapping map[string]any
	want    map[string]any
}{
	{"nothing is mapped", nil, map[string]any{"roles": "admin", "realm": map[string]any{"id": 7}}},
	{
		"another name", map[string]any{"groups": "roles"},
		map[string]any{"groups": "admin", "realm": map[string]any{"id": 7}},
	},
	{
		"its own name and another one", map[string]any{"groups": "roles", "roles": "roles"},
		map[string]any{"groups": "admin", "roles": "admin", "realm": map[string]any{"id": 7}},
	},
	{
		"two claims change places", map[string]any{"realm": "roles", "roles": "realm"},
		map[string]any{"realm": "admin", "roles": map[string]any{"id": 7}},
	},
	{
		"a member of an object that is there", map[string]any{"realm.roles": "roles"},
		map[string]any{"realm": map[string]any{"id": 7, "roles": "admin"}},
	},
	{
		"members of a new object", map[string]any{"a.b.c": "roles", "a.b.d": map[string]any{"value": true}},
		map[string]any{
			"a": map[string]any{"b": map[string]any{"c": "admin", "d": true}}, "realm": map[string]any{"id": 7},
		},
	},
	{
		"a URL has no members", map[string]any{"https://app.example/roles": "roles"},
		map[string]any{"https://app.example/roles": "admin", "realm": map[string]any{"id": 7}},
	},
	{
		"a claim that is not there", map[string]any{"shoes": "shoe_size"},
		map[string]any{"roles": "admin", "realm": map[string]any{"id": 7}},
	},
	{
		"a constant in place of a claim", map[string]any{"roles": map[string]any{"value": []any{"guest"}}},
		map[string]any{"roles": []any{"guest"}, "realm": map[string]any{"id": 7}},
	},
}

func TestTheNamesOfClaimsAreMapped(t *testing.T) {
	for _, row := range mappings {
		t.Run(row.name, func(t *testing.T) {
			client := oidc.Client{
				Claims:        map[string]any{"roles": "admin", "realm": map[string]any{"id": 7}},
				ClaimsMapping: row.mapping,
			}
			if diff := cmp.Diff(row.want, claims.OfClient(&client)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			unchanged := map[string]any{"roles": "admin", "realm": map[string]any{"id": 7}}
			if diff := cmp.Diff(unchanged, client.Claims); diff != "" {
				t.Errorf("the mapping changed the claims themselves (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNoClaimReplacesOneOfTheToken(t *testing.T) { // RFC 9068 §5
	own := struct {
		Subject string `json:"sub"`
		Expiry  int64  `json:"exp"`
	}{"alice", 9007199254740993}
	all, err := claims.Merge(own, map[string]any{"sub": "bob", "exp": 1, "roles": []any{"admin"}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(all)
	if want := `{"exp":9007199254740993,"roles":["admin"],"sub":"alice"}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v; want %s", text, err, want)
	}
}

func TestMembersAreWrittenAsTheStructIs(t *testing.T) {
	own := struct {
		Sub  string `json:"sub"`
		Big  int64  `json:"big"`
		None string `json:"none,omitempty"`
	}{"alice", 9007199254740993, ""} // a float64 has no such number
	members, err := claims.Members(own)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(members)
	if want := `{"big":9007199254740993,"sub":"alice"}`; err != nil || string(text) != want {
		t.Errorf("the members are %s (%v); want %s", text, err, want)
	}
	if _, err := claims.Members([]string{"sub"}); err == nil || !strings.Contains(err.Error(), "no JSON object") {
		t.Errorf("a list has the members %v; want an error", err)
	}
	merged, err := claims.Merge(own, map[string]any{"sub": "bob", "more": 1})
	text, _ = json.Marshal(merged)
	if want := `{"big":9007199254740993,"more":1,"sub":"alice"}`; err != nil || string(text) != want {
		t.Errorf("merged with others they are %s (%v); want %s", text, err, want)
	}
}
