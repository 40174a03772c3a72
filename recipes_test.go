package hush_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	recipesFolder = "e2e/recipes"
	recipePages   = "docs/recipes"

	// unrun is in the pages of recipes without an application.
	unrun = "from documentation only"
)

// Each recipe is a folder with an application and the provider's configuration, a test, a page, and a line of the
// index.
func TestEachRecipeHasAPageATestAndALine(t *testing.T) {
	index := read(t, recipePages+"/README.md")
	names := recipes(t)
	for _, name := range names {
		for _, file := range []string{
			recipesFolder + "/" + name + "/hush.yaml", recipesFolder + "/" + name + ".test.js", pageOf(name),
		} {
			if _, err := os.Stat(file); err != nil {
				t.Errorf("the recipe %s has no %s", name, file)
			}
		}
	}
	for _, page := range recipePageFiles(t) {
		name := strings.TrimSuffix(filepath.Base(page), ".md")
		if !slices.Contains(names, name) && !strings.Contains(read(t, page), unrun) {
			t.Errorf("%s has no folder in %s, and does not say %q", page, recipesFolder, unrun)
		}
		if !strings.Contains(index, "]("+name+".md)") {
			t.Errorf("%s/README.md has no link to %s.md", recipePages, name)
		}
	}
}

// shownFile is a block of code that shows a file: the comment before it names the file.
var shownFile = regexp.MustCompile("(?s)<!-- file: (\\S+) -->\n```(\\w+)\n(.*?)```\n")

// A block that shows a file is that file, in every document. In the page of a recipe each block shows a file, or is for
// a shell.
func TestTheDocumentsShowFilesAsTheyAre(t *testing.T) {
	for _, page := range documents(t) {
		text := read(t, page)
		shown := shownFile.ReplaceAllStringFunc(text, func(block string) string {
			m := shownFile.FindStringSubmatch(block)
			return "<!-- file: " + m[1] + " -->\n```" + m[2] + "\n" + partOf(read(t, m[1])) + "```\n"
		})
		compare(t, page, text, shown)
		isRecipe := strings.HasPrefix(page, recipePages) && !strings.Contains(text, unrun)
		if rest := shownFile.ReplaceAllString(text, ""); isRecipe && regexp.MustCompile("(?m)^```\\w").MatchString(rest) {
			t.Errorf("%s has a block of code without a comment <!-- file: PATH --> on the line before it", page)
		}
	}
}

// partOf is the part of a file between two lines with "recipe: begin" and "recipe: end", or the whole file.
func partOf(text string) string {
	_, after, found := strings.Cut(text, "recipe: begin")
	if !found {
		return text
	}
	_, after, _ = strings.Cut(after, "\n")
	part, _, _ := strings.Cut(after, "recipe: end")
	return part[:strings.LastIndex(part, "\n")+1]
}

// placeholders are what the console fills in for the client at hand, in the order in which they are looked for.
var placeholders = strings.NewReplacer(
	"https://localhost:8080", "{https_issuer}", "http://localhost:8080", "{issuer}", "localhost:8080", "{host}",
	`"spa"`, `"{client_id}"`, "openid profile email", "{scope}",
)

var addressOfApp = regexp.MustCompile(`http://localhost:5173(/[^"\s]*)`)

// The console's settings for a library are the recipe's file, with placeholders for the client.
func TestTheConsoleOffersTheRecipes(t *testing.T) {
	browser, server := 0, 0
	for _, name := range recipes(t) {
		for _, file := range settingsOf(t, name) {
			text := read(t, file)
			if addressOfApp.MatchString(text) {
				browser++
				offer(t, "browser", file, forBrowser(text))
			} else {
				server++
				offer(t, "server", file, forServer(name, text))
			}
		}
	}
	if browser < 10 || server < 10 {
		t.Errorf("%d files for browsers, %d for servers", browser, server)
	}
}

// settingsOf are the files of a recipe, mostly one, that have the settings of its library and little else.
func settingsOf(t *testing.T, recipe string) (files []string) {
	t.Helper()
	form := regexp.MustCompile(`/((auth|oidc)\.(js|ts|py|go|rs)|[\w-]+\.cfg|main/resources/application\.properties)$`)
	err := filepath.WalkDir(recipesFolder+"/"+recipe, func(file string, entry fs.DirEntry, err error) error {
		if err == nil && (entry.Name() == "node_modules" || entry.Name() == "target") {
			return filepath.SkipDir
		}
		if form.MatchString(file) && recipe != "spring-resource-server" { // an API is no client
			files = append(files, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// offer compares a file of the console with the text that it should have.
func offer(t *testing.T, kind, file, want string) {
	t.Helper()
	name, extension := recipeOf(file), filepath.Ext(file)
	comment := "//"
	if extension != ".js" && extension != ".ts" && extension != ".go" && extension != ".rs" {
		comment = "#"
	}
	settings := "idp/dev/console/settings/" + kind + "/" + name + extension
	if extension == ".go" {
		settings += ".txt" // or else it would be built
	}
	have, err := os.ReadFile(settings)
	if err != nil && !*update {
		t.Error(err)
	}
	compare(t, settings, string(have), comment+" "+pageOf(name)+" has the rest of the application.\n\n"+want)
}

// recipeOf is the name of the recipe that a file belongs to.
func recipeOf(file string) string {
	return strings.Split(strings.TrimPrefix(file, recipesFolder+"/"), "/")[0]
}

func forBrowser(text string) (offered string) {
	for line := range strings.Lines(text) {
		offered += addressOfApp.ReplaceAllString(placeholders.Replace(line), addressIn(line))
	}
	return offered
}

// forServer is the text with placeholders for the client: the name of the recipe is the client_id, and may be that of a
// package too.
func forServer(name, text string) (offered string) {
	values := strings.NewReplacer(
		"http://localhost:8080", "{issuer}", "localhost:8080", "{host}", name+"-secret", "{client_secret}",
		`"`+name+`"`, `"{client_id}"`, "client-id="+name, "client-id={client_id}",
		"/oauth2/callback", "{redirect_path}", "/callback", "{redirect_path}", "3000", "{port}",
	)
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "import ") {
			line = values.Replace(line)
		}
		offered += line
	}
	return offered
}

// addressIn is the placeholder of an address of the app in a line of settings. A page for silent requests is a file of
// the recipe: its path stays.
func addressIn(line string) string {
	switch line = strings.ToLower(line); {
	case strings.Contains(line, "logout"):
		return "{post_logout_redirect_uri}"
	case strings.Contains(line, "silent"):
		return "{origin}$1"
	}
	return "{redirect_uri}"
}

var testedWith = regexp.MustCompile(`(?m)^Tested with.*$`)

// The page of a recipe says which versions were tested: those of the files that the package managers read.
func TestTheRecipePagesNameTheTestedVersions(t *testing.T) {
	for _, name := range recipes(t) {
		text := read(t, pageOf(name))
		versions := versionsOf(t, recipesFolder+"/"+name)
		if len(versions) == 0 {
			t.Errorf("no file of %s/%s names a version", recipesFolder, name)
		}
		if !testedWith.MatchString(text) {
			t.Errorf("%s has no line that begins with: Tested with", pageOf(name))
		}
		line := "Tested with " + strings.Join(versions, ", ") + "."
		compare(t, pageOf(name), text, testedWith.ReplaceAllLiteralString(text, line))
	}
}

// versionFiles has the files with versions, and how each writes a name and its version. package.json is read as JSON.
var versionFiles = map[string]*regexp.Regexp{
	"go.mod":           regexp.MustCompile(`(?m)^(?:require )?\t?([\w.-]+\.\w+/\S+) v(\S+)$`),
	"Cargo.toml":       regexp.MustCompile(`(?m)^([\w-]+) = (?:\{ version = )?"=?(\d[^"]*)"`),
	"requirements.txt": regexp.MustCompile(`(?m)^([\w.-]+)(?:\[\w+\])?==(\S+)`),
	"pom.xml":          regexp.MustCompile(`(?s)<artifactId>(spring-boot-starter-parent)</artifactId>\s*<version>(.*?)<`),
	"versions.txt":     regexp.MustCompile(`(?m)^([\w.-]+)==(\S+)`), // what no package manager installs
}

// versionsOf returns the packages that a recipe names, with their versions, sorted.
func versionsOf(t *testing.T, folder string) (versions []string) {
	t.Helper()
	for file, form := range versionFiles {
		text, err := os.ReadFile(filepath.Join(folder, file))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		for _, m := range form.FindAllStringSubmatch(direct(string(text)), -1) {
			versions = append(versions, m[1]+" "+m[2])
		}
	}
	var described struct{ Dependencies map[string]string }
	if text, err := os.ReadFile(filepath.Join(folder, "package.json")); err == nil {
		if err := json.Unmarshal(text, &described); err != nil {
			t.Fatal(err)
		}
	}
	for name, version := range described.Dependencies {
		versions = append(versions, name+" "+version)
	}
	slices.Sort(versions)
	return versions
}

// toolOfModule is a line of go.mod that names a program of another module.
var toolOfModule = regexp.MustCompile(`(?m)^tool (\S+)$`)

// direct is the part of a file that names what the recipe uses itself: the dependencies of a Cargo.toml, and a go.mod
// in which a module that has a tool is required as others are, because go get calls it indirect.
func direct(text string) string {
	if _, dependencies, found := strings.Cut(text, "[dependencies]\n"); found {
		return dependencies
	}
	for _, m := range toolOfModule.FindAllStringSubmatch(text, -1) {
		line := regexp.MustCompile(`(?m)^(\t` + regexp.QuoteMeta(m[1]) + ` v\S+) // indirect$`)
		text = line.ReplaceAllString(text, "$1")
	}
	return text
}

// linkedReason is a reason code with its explanation.
var linkedReason = regexp.MustCompile("\\[`([a-z_]+\\.[a-z_]+)`\\]\\(\\.\\./reasons\\.md#")

// The reason by which the console shows the usual mistake is one that the test of the recipe saw.
func TestTheRecipePagesNameReasonsThatTheirTestsSee(t *testing.T) {
	for _, name := range recipes(t) {
		test := read(t, recipesFolder+"/"+name+".test.js")
		for _, m := range linkedReason.FindAllStringSubmatch(read(t, pageOf(name)), -1) {
			if !strings.Contains(test, m[1]) {
				t.Errorf("%s names %s, which %s/%s.test.js does not expect", pageOf(name), m[1], recipesFolder, name)
			}
		}
	}
}

// recipes are the names of the folders with applications.
func recipes(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(recipesFolder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.IsDir() && entry.Name() != "harness" && entry.Name() != "node_modules" {
			names = append(names, entry.Name())
		}
	}
	return names
}

func pageOf(recipe string) string { return recipePages + "/" + recipe + ".md" }

// recipePageFiles are the pages of recipes, without the index.
func recipePageFiles(t *testing.T) []string {
	t.Helper()
	return slices.DeleteFunc(glob(t, recipePages+"/*.md"), func(page string) bool {
		return filepath.Base(page) == "README.md"
	})
}

// documents are all pages for readers.
func documents(t *testing.T) []string {
	t.Helper()
	return slices.Concat(glob(t, "docs/*.md"), glob(t, recipePages+"/*.md"), []string{"README.md", "CONTRIBUTING.md"})
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(names), err)
	}
	return names
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// compare checks that a page has the text that it should have, or writes it with -update.
func compare(t *testing.T, page, has, wants string) {
	t.Helper()
	if has == wants {
		return
	}
	if !*update {
		t.Errorf("%s is not up to date: run go test -run TestThe . -update", page)
		return
	}
	if err := os.WriteFile(page, []byte(wants), 0o644); err != nil {
		t.Fatal(err)
	}
}
