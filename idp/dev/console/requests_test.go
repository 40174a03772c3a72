package console_test

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	served "github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/oidc"
)

// readElsewhere are parameters that are no part of a request that a client makes.
var readElsewhere = map[string]string{
	"interaction": "sealed by the provider, when the browser comes back from a page",
	"account":     "of the form at /device",
	"decision":    "of the form at /device",
}

// TestTryItHasEachParameterThatTheProviderReads compares GET /console/requests with the code of the endpoints.
func TestTryItHasEachParameterThatTheProviderReads(t *testing.T) {
	h := newFixture(t)
	offered := map[string]bool{}
	for _, kind := range h.json(t, 200, "GET", "/console/requests", "")["kinds"].([]any) {
		for _, p := range kind.(map[string]any)["parameters"].([]any) {
			offered[p.(map[string]any)["name"].(string)] = true
		}
	}
	read := map[string]string{}
	for _, dir := range []string{"authorize", "token", "device", "clientauth", "pages"} {
		parametersIn(t, filepath.Join("..", "..", dir), read)
	}
	for name, place := range read {
		if !offered[name] && readElsewhere[name] == "" {
			t.Errorf("%s reads %q, and GET /console/requests has no such parameter: add it to parameters", place, name)
		}
	}
	for _, known := range []string{"prompt", "code_verifier", "device_code", "client_assertion", "ui_locales"} {
		if read[known] == "" {
			t.Errorf("the code seems not to read %s: is this test out of date?", known)
		}
	}
}

func TestTryItKnowsTheRedirectURIsThatAppsUsed(t *testing.T) {
	h := newFixture(t)
	asks(h, "http://localhost:9090/other", "a")
	if got := h.json(t, 200, "GET", "/console/requests", "")["redirect_uris"].([]any); len(got) != 0 {
		t.Errorf("after an address that is not registered: %v", got)
	}
	asks(h, "http://localhost:5173/callback", "c")
	triesIt(h)
	got := h.json(t, 200, "GET", "/console/requests", "")["redirect_uris"]
	want := []any{map[string]any{"client_id": "spa", "sign_in": "http://localhost:5173/callback",
		"silent": "http://localhost:5173/callback"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v; want %v", got, want)
	}
}

// wireName is the form of the names of parameters.
var wireName = regexp.MustCompile(`^[a-z_]+$`)

// parametersIn adds the parameters that the package reads, with a place for each: texts in params.Get, in r.Form.Has,
// in params[…], and in the Params of a rule.
func parametersIn(t *testing.T, dir string, read map[string]string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	must(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_templ.go") {
			continue
		}
		set := gotoken.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		must(t, err)
		for node := range ast.Preorder(file) {
			for _, text := range namesIn(node) {
				if value, _ := strconv.Unquote(text.Value); wireName.MatchString(value) {
					read[value] = set.Position(text.Pos()).String()
				}
			}
		}
	}
}

// namesIn returns the texts of the node that are names of parameters.
func namesIn(node ast.Node) (names []*ast.BasicLit) {
	switch n := node.(type) {
	case *ast.CallExpr:
		if of, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Get", "Has"}, of.Sel.Name) && isForm(of.X) {
			return textsOf(n.Args)
		}
	case *ast.IndexExpr:
		if isForm(n.X) {
			return textsOf([]ast.Expr{n.Index})
		}
	case *ast.KeyValueExpr:
		list, ok := n.Value.(*ast.CompositeLit)
		if key, isName := n.Key.(*ast.Ident); ok && isName && key.Name == "Params" {
			return textsOf(list.Elts)
		}
	}
	return nil
}

// isForm tells whether the expression is named as parameters are: params, form, r.Form, outer.
func isForm(e ast.Expr) bool {
	name := ""
	switch of := e.(type) {
	case *ast.Ident:
		name = of.Name
	case *ast.SelectorExpr:
		name = of.Sel.Name
	}
	return slices.Contains([]string{"params", "Params", "form", "Form", "PostForm", "query", "inner", "outer"}, name)
}

func textsOf(list []ast.Expr) (texts []*ast.BasicLit) {
	for _, e := range list {
		if text, ok := e.(*ast.BasicLit); ok && text.Kind == gotoken.STRING {
			texts = append(texts, text)
		}
	}
	return texts
}

// Each field has a line of help and a section, and the values that the provider knows.
func TestTheParametersOfTryItAreDescribed(t *testing.T) {
	h := newFixture(t)
	h.Served = []served.Endpoint{{Describe: func(m *oidc.Metadata) {
		m.AuthorizationEndpoint, m.PromptValuesSupported = h.Issuer+"/authorize", oidc.KnownPrompts()
	}}}
	kinds := h.json(t, 200, "GET", "/console/requests", "")["kinds"].([]any)
	if len(kinds) != 7 {
		t.Errorf("there are %d kinds of requests; want 7", len(kinds))
	}
	values := map[string][]any{}
	for _, kind := range kinds {
		for _, p := range kind.(map[string]any)["parameters"].([]any) {
			of := p.(map[string]any)
			if help := of["help"].(string); of["spec"] == "" || !strings.HasSuffix(help, ".") || len(help) > 110 {
				t.Errorf("%s has the help %q and the section %q", of["name"], help, of["spec"])
			}
			values[of["name"].(string)], _ = of["values"].([]any)
		}
	}
	if got := values["prompt"]; !slices.Contains(got, any("select_account")) {
		t.Errorf("the values of prompt are %v; want those of the metadata", got)
	}
	if got := values["scope"]; !slices.Contains(got, any("email")) {
		t.Errorf("the values of scope are %v; want those that the provider knows", got)
	}
	if got := kinds[0].(map[string]any); got["method"] != "GET" || got["address"] != h.Issuer+"/authorize" {
		t.Errorf("the first kind is %s %s; want the endpoint of the metadata", got["method"], got["address"])
	}
}

// The page to which answers come may be framed by the console only.
func TestTheCallbackOfTheConsole(t *testing.T) {
	h := newFixture(t)
	response := h.ask(t, "GET", "/console/callback?code=c&state=s", "", "Sec-Fetch-Site", "same-origin")
	if page := read(t, response); response.StatusCode != 200 || !strings.Contains(page, "/console/callback.js") {
		t.Errorf("the answer is %d\n%s", response.StatusCode, page)
	}
	policy := response.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "; frame-ancestors "+h.Issuer) || strings.Contains(policy, "connect-src") {
		t.Errorf("Content-Security-Policy %s; want frame-ancestors %s and no requests", policy, h.Issuer)
	}
}
