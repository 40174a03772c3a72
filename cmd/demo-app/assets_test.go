package main

import (
	"net/http"
	urlpath "path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	stylesAndScripts = regexp.MustCompile(
		`<(?:link rel="(?:stylesheet|modulepreload)" href|script (?:type="module" )?src)="([^"]+)"`)
	preloaded = regexp.MustCompile(`<link rel="modulepreload" href="([^"]+)">`)
	entry     = regexp.MustCompile(`<script type="module" src="([^"]+)">`)
	imported  = regexp.MustCompile(`from "(\.[^"]+)"`)
)

var allPages = []string{
	"/", "/spa/", "/web/", "/both/", "/tokens/", "/lessons/", "/spa/callback.html", "/web/silent-callback",
	"/lessons/app.html", "/lessons/silent.html",
}

func TestWhatAPageNamesIsThereAndCompressed(t *testing.T) {
	server := startDemo(t)
	for _, path := range allPages {
		_, body := send(t, server, request{path: path})
		for _, found := range stylesAndScripts.FindAllStringSubmatch(body, -1) {
			if strings.HasSuffix(found[1], library) && !haveLibrary() {
				continue
			}
			response, _ := send(t, server, request{path: found[1], header: map[string]string{"Accept-Encoding": "gzip"}})
			if response.StatusCode != http.StatusOK || response.Header.Get("Content-Encoding") != "gzip" ||
				response.Header.Get("ETag") == "" {
				t.Errorf("%s names %s: status %d, %v", path, found[1], response.StatusCode, response.Header)
			}
		}
	}
}

// Each import of each module of a page is preloaded, so that no import waits for another one.
func TestAPagePreloadsAllItsModules(t *testing.T) {
	server := startDemo(t)
	for _, path := range allPages {
		_, body := send(t, server, request{path: path})
		var modules, all []string
		for _, pattern := range []*regexp.Regexp{entry, preloaded} {
			for _, found := range pattern.FindAllStringSubmatch(body, -1) {
				modules = append(modules, found[1])
			}
		}
		for _, module := range modules {
			_, code := send(t, server, request{path: module})
			for _, found := range imported.FindAllStringSubmatch(code, -1) {
				address := urlpath.Join(urlpath.Dir(module), found[1])
				if !slices.Contains(modules, address) {
					t.Errorf("%s does not preload %s, which %s imports", path, address, module)
				}
				all = append(all, address)
			}
		}
		for _, found := range preloaded.FindAllStringSubmatch(body, -1) {
			if !slices.Contains(all, found[1]) {
				t.Errorf("%s preloads %s, which nothing imports", path, found[1])
			}
		}
	}
}

// A renewal loads a callback page each time: a script is all that it has in the hidden iframe.
func TestACallbackPageHasOneScript(t *testing.T) {
	server := startDemo(t)
	for _, path := range []string{"/spa/callback.html", "/web/silent-callback"} {
		_, body := send(t, server, request{path: path})
		var scripts []string
		for _, found := range stylesAndScripts.FindAllStringSubmatch(body, -1) {
			if strings.Contains(found[0], "<script") {
				scripts = append(scripts, found[1])
			}
		}
		if len(scripts) != 1 || strings.Count(body, `rel="stylesheet"`) != strings.Count(body, " disabled>") {
			t.Errorf("%s has the scripts %v, or a style that is not disabled", path, scripts)
		}
		response, code := send(t, server, request{path: scripts[0]})
		if got := response.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") || imported.MatchString(code) {
			t.Errorf("%s: Cache-Control %q, want immutable; it imports %v", scripts[0], got, imported.FindString(code))
		}
	}
}
