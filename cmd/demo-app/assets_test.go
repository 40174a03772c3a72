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
	preloaded     = regexp.MustCompile(`<link rel="modulepreload" href="([^"]+)">`)
	entry         = regexp.MustCompile(`<script type="module" src="([^"]+)">`)
	inlineScripts = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
	imported      = regexp.MustCompile(`from "(\.[^"]+)"`)
)

var allPages = []string{
	"/", "/slow/", "/spa/", "/web/", "/both/", "/tokens/", "/lessons/", "/spa/callback.html", "/web/silent-callback",
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

func TestALongPageIsCompressed(t *testing.T) {
	server := startDemo(t)
	for path, want := range map[string]string{"/": "gzip", "/lessons/": "gzip", "/spa/callback.html": ""} {
		response, _ := send(t, server, request{path: path, header: map[string]string{"Accept-Encoding": "gzip"}})
		if got := response.Header.Get("Content-Encoding"); got != want {
			t.Errorf("%s: Content-Encoding %q; want %q", path, got, want)
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

// A renewal loads a callback page each time: nothing else, unless a person sees it.
func TestACallbackPageLoadsNothing(t *testing.T) {
	server := startDemo(t)
	for _, path := range []string{"/spa/callback.html", "/web/silent-callback"} {
		_, body := send(t, server, request{path: path})
		if len(inlineScripts.FindAllString(body, -1)) != 1 || strings.Contains(body, " src=") {
			t.Errorf("%s has not one script, in its text:\n%s", path, body)
		}
		if strings.Count(body, `rel="stylesheet"`) != strings.Count(body, " disabled>") {
			t.Errorf("%s has a style that is not disabled:\n%s", path, body)
		}
	}
}
