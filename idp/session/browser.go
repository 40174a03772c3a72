package session

import "strings"

// maxBrowser is how much is kept of a program's name that is not known.
const maxBrowser = 40

// Words of a User-Agent header and what a person calls them. The first that fits counts: most browsers claim to be
// others, too.
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

// browserName is a browser as its user would know it again: "Firefox on Linux". Of any other program it is the first
// word of what it says of itself. The header can say anything; nothing is decided by it.
func browserName(userAgent string) string {
	browser, system := firstOf(browsers, userAgent), firstOf(systems, userAgent)
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser != "":
		return browser
	}
	word, _, _ := strings.Cut(userAgent, " ")
	word = strings.Map(printable, word)
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

// printable drops what a terminal would obey.
func printable(r rune) rune {
	if r <= ' ' || r > '~' {
		return -1
	}
	return r
}
