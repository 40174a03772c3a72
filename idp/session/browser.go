package session

import "strings"

// maxBrowser is the maximum number of bytes that are stored of an unknown program's name.
const maxBrowser = 40

// Words of a User-Agent header, with names for display. The first match counts, because most browsers also send the
// names of other browsers.
var (
	browsers = [][2]string{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"},
		{"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	}
	systems = [][2]string{
		{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Macintosh", "macOS"},
		{"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	}
)

// browserName returns a name such as "Firefox on Linux", or the first word of an unknown User-Agent. It is for display
// only, because the header can contain anything.
func browserName(userAgent string) string {
	browser, system := firstOf(browsers, userAgent), firstOf(systems, userAgent)
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser != "":
		return browser
	}
	word, _, _ := strings.Cut(userAgent, " ")
	word = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' { // a terminal would interpret control characters
			return -1
		}
		return r
	}, word)
	return word[:min(len(word), maxBrowser)]
}

func firstOf(words [][2]string, text string) string {
	for _, word := range words {
		if strings.Contains(text, word[0]) {
			return word[1]
		}
	}
	return ""
}
