package authorize

import (
	"io/fs"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/static"
)

// What a need tells the person is a key: each page speaks the person's language (Core §3.1.2.1 ui_locales).
func TestWhatANeedTellsHasWords(t *testing.T) {
	text, err := fs.ReadFile(static.IDP(), "languages/en.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var english struct{ Tell map[string]string }
	if err := yaml.Unmarshal(text, &english); err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{session.CookieLost: true} // for every need
	for text, key := range tells {
		told[key] = true
		if !slices.ContainsFunc(needs, func(n oidc.Rule[*Situation]) bool { return n.Text == text }) {
			t.Errorf("tells has the key %q for a need that does not exist: %s", key, text)
		}
		if english.Tell[key] == "" {
			t.Errorf("%s tells %q, which static/idp/languages/*.yaml have no words for, below tell", text, key)
		}
	}
	for key := range english.Tell {
		if !told[key] {
			t.Errorf("static/idp/languages/*.yaml have words for %s, which no need tells", key)
		}
	}
}
