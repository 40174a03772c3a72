package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// block is a code block of a document.
type block struct{ page, language, text string }

// inlineCurl matches a whole request in a sentence, and not the name of an option.
var inlineCurl = regexp.MustCompile("`(curl [^`]*http[^`]*)`")

// isShell tells whether the block is for a terminal: such blocks have no language.
func (b block) isShell() bool { return b.language == "" }

// documentBlocks are the code blocks of all documents, page by page, in order, and the requests in the sentences.
func documentBlocks(t *testing.T) (blocks []block) {
	t.Helper()
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) < 10 {
		t.Fatalf("%d documents, %v", len(pages), err)
	}
	recipes, err := filepath.Glob("../../docs/recipes/*.md")
	if err != nil || len(recipes) == 0 {
		t.Fatalf("%d recipes, %v", len(recipes), err)
	}
	for _, name := range slices.Concat(pages, recipes, []string{"../../README.md", "../../CONTRIBUTING.md"}) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range strings.Split("\n"+string(text), "\n```") {
			if i%2 == 1 { // every second part is inside a block
				language, text, _ := strings.Cut(part, "\n")
				blocks = append(blocks, block{pageName(name), language, text})
				continue
			}
			for _, inline := range inlineCurl.FindAllStringSubmatch(part, -1) {
				blocks = append(blocks, block{page: pageName(name), text: inline[1] + "\n"})
			}
		}
	}
	return blocks
}

// pageName is how testdata/docs_not_run.yaml names a document: how-to.md, or recipes/django.md.
func pageName(path string) string {
	folder, name := filepath.Split(path)
	if filepath.Base(folder) == "recipes" {
		return "recipes/" + name
	}
	return name
}

// list has the blocks that are not run here, by page and first line, and whether a document has each.
type list map[string]bool

// has tells whether the list has the block, and notes that a document has it.
func (l list) has(b block) bool {
	for key := range l {
		if strings.HasPrefix(b.page+": "+b.text, key) {
			l[key] = true
			return true
		}
	}
	return false
}

func notRun(t *testing.T) list {
	t.Helper()
	text, err := os.ReadFile("testdata/docs_not_run.yaml")
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	if err := yaml.Unmarshal(text, &reasons); err != nil {
		t.Fatal(err)
	}
	blocks := list{}
	for key, reason := range reasons {
		if blocks[key] = false; reason == "" {
			t.Errorf("testdata/docs_not_run.yaml has no reason for %q", key)
		}
	}
	return blocks
}

// TestTheCommandsOfTheDocsRun runs each block of commands in the documents as it stands there.
// testdata/docs_not_run.yaml lists the blocks that it does not run, with the reasons.
func TestTheCommandsOfTheDocsRun(t *testing.T) {
	listed := notRun(t)
	config := ""
	var w workplace
	for i, b := range documentBlocks(t) {
		if b.page == "how-to.md" && b.language == "yaml" {
			config = b.text // the next commands are for this file
		}
		if !b.isShell() || listed.has(b) {
			continue
		}
		if w.page != b.page || w.config != config {
			w = newWorkplace(t, b.page, config)
		}
		first, _, _ := strings.Cut(b.text, "\n")
		t.Run(fmt.Sprintf("%s %d %s", b.page, i, first), func(t *testing.T) { w.run(t, b.text) })
	}
	for key, found := range listed {
		if !found {
			t.Errorf("no document has the block %q: remove it from testdata/docs_not_run.yaml", key)
		}
	}
}

// workplace is a folder with a provider that runs at the addresses of the documents, as far as curl is concerned.
type workplace struct {
	page, config, folder string
	environment          []string
}

// always is what the commands need besides the file that a page shows.
const always = `
issuer: http://localhost:8080
back_channel_hosts: [idp:8080]
signing_keys: [{alg: ES256}]
cookie_keys: [00000000000000000000000000000000]
registration: {mode: token}
`

func newWorkplace(t *testing.T, page, config string) workplace {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"docs", "deploy", "e2e"} {
		target, err := filepath.Abs("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(folder, "hush.yaml")
	if err := os.WriteFile(file, []byte(always+config), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t, "127.0.0.1")
	program := startServing(t, binary(t), "--config", file, "--listen", address)
	return workplace{page, config, folder, append(os.Environ(),
		"PATH="+filepath.Dir(binary(t))+string(os.PathListSeparator)+os.Getenv("PATH"),
		"ADDRESS="+address,
		"PID="+strconv.Itoa(program.command.Process.Pid),
		"ISSUER=http://localhost:8080")}
}

// prelude makes curl reach the provider of the workplace at every address, and fail when it answers with an error. It
// lets commands that would serve for ever be checked only: idp reads its configuration, and Vite has a page to serve,
// at the port of the redirect URI only. ID stands for a flow or for a session.
const prelude = `set -euo pipefail
curl() {
	local args=("${@//https:\/\/login.example.com/http://localhost:8080}")
	args=("${args[@]/\/flows\/ID//flows/$FLOW}")
	args=("${args[@]/\/sessions\/ID//sessions/$SESSION}")
	local limit=20 endless=0
	case "$*" in *console/events*) limit=1 endless=28 ;; esac # 28: the time is over
	command curl -S --fail-with-body --max-time $limit --connect-to "::$ADDRESS" "${args[@]}" || [ $? = $endless ]
}
idp() {
	case "$1" in
	-*) command idp check "$@" ;;
	serve) shift; command idp check "$@" ;;
	*) command idp "$@" ;;
	esac
}
npx() { [ "$1" = vite ] && [ -e "$2/index.html" ] && [ "${3-}" = --strictPort ]; }
FLOW= SESSION=
curl -s -o /dev/null $ISSUER/console/sessions --json '{"user": "alice"}'
asked="client_id=spa&redirect_uri=http://localhost/callback&response_type=code&scope=openid&prompt=none"
curl -s -o /dev/null "$ISSUER/authorize?$asked"
SESSION=$(curl -s $ISSUER/console/sessions | jq -r '.sessions[0].id')
FLOW=$(curl -s $ISSUER/console/flows | jq -r '.flows[0].id')
`

func (w workplace) run(t *testing.T, commands string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "bash", "-c", prelude+commands)
	command.Dir, command.Env = w.folder, w.environment
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("the commands\n%s\nend with %v:\n%s", commands, err, output)
	}
}
