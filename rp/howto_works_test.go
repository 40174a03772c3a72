package rp_test

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idptest"
)

// TestTheProgramOfTheHowToPage builds and runs the program of docs/how-to-rp.md. Only the two addresses are others.
func TestTheProgramOfTheHowToPage(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a program")
	}
	provider := idptest.Start(t, nil)
	app := freeAddress(t)
	runHowTo(t, strings.NewReplacer("http://localhost:8080", provider.Issuer, "localhost:3000", app))
	waitUntilItListens(t, app)
	browser := provider.Browser(t)
	open := func(path string) string {
		page := browser.Get("http://" + app + path)
		for page.Location != nil {
			page = browser.Get(page.Location.String())
		}
		return page.Body
	}
	for _, row := range []struct{ user, path, says string }{
		{"", "/", "Sign in</a>"},
		{"alice", "/web/login", "Hello Alice"},
		{"", "/", "Hello Alice"},
		{"carol", "/web/login?prompt=none", "That did not work: carol has no account here"},
		{"", "/", "Sign in</a>"},
	} {
		if row.user != "" {
			browser = provider.Browser(t)
			browser.SignIn(row.user)
		}
		if page := open(row.path); !strings.Contains(page, row.says) {
			t.Errorf("%s by %q ends at a page without %q: %s", row.path, row.user, row.says, page)
		}
	}
}

// freeAddress returns an address at which nothing listens.
func freeAddress(t *testing.T) string {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return "localhost:" + port
}

// runHowTo builds the page's program as a package of this module, which needs no file in it, and runs it until the test
// ends.
func runHowTo(t *testing.T, addresses *strings.Replacer) {
	text, err := os.ReadFile("../docs/how-to-rp.md")
	if err != nil {
		t.Fatal(err)
	}
	program := regexp.MustCompile("(?s)```go\n(.*?)```").FindSubmatch(text)
	root, err := filepath.Abs("..")
	if program == nil || err != nil {
		t.Fatalf("the page has no program, or there is no root: %v", err)
	}
	folder := t.TempDir()
	source, overlay, binary := folder+"/main.go", folder+"/overlay.json", folder+"/my-app"
	replace, _ := json.Marshal(map[string]any{"Replace": map[string]string{root + "/my-app/main.go": source}})
	for name, content := range map[string]string{
		source: addresses.Replace(string(program[1])), overlay: string(replace),
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", binary, "./my-app")
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	app := exec.CommandContext(t.Context(), binary)
	if err := app.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.Wait() }) // the context of the test ends it
}

func waitUntilItListens(t *testing.T, address string) {
	for range 100 {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			connection.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the program does not listen")
}
