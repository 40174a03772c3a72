package check

import (
	"net/url"
	"slices"
	"strings"
)

// policy is one Content-Security-Policy: the values of its directives by name (https://www.w3.org/TR/CSP3/#framework).
type policy map[string][]string

// policiesIn reads the values of headers or meta elements, each with one policy or several.
func policiesIn(values []string) (all []policy) {
	for _, value := range values {
		for text := range strings.SplitSeq(value, ",") {
			p := policy{}
			for directive := range strings.SplitSeq(text, ";") {
				fields := strings.Fields(directive)
				if len(fields) == 0 {
					continue
				}
				name := strings.ToLower(fields[0])
				if _, known := p[name]; !known { // of two with one name the first counts
					p[name] = fields[1:]
				}
			}
			if len(p) > 0 {
				all = append(all, p)
			}
		}
	}
	return all
}

// sources are the values of the first of the directives that the policy has. name is "" if it has none of them.
func (p policy) sources(names ...string) (name string, sources []string) {
	for _, name := range names {
		if sources, ok := p[name]; ok {
			return name, sources
		}
	}
	return "", nil
}

// refusing returns the first directive that does not allow the address, as it is written; "" if all policies allow it.
// self is the origin of the page. https://www.w3.org/TR/CSP3/#match-url-to-source-list
func refusing(policies []policy, address, self string, names ...string) string {
	for _, p := range policies {
		name, sources := p.sources(names...)
		if name != "" && !slices.ContainsFunc(sources, func(s string) bool { return matches(s, address, self) }) {
			return strings.Join(append([]string{name}, sources...), " ")
		}
	}
	return ""
}

// weaker are the schemes that an expression of a scheme matches too: a scheme allows its secure form.
var weaker = map[string][]string{"http": {"https"}, "ws": {"wss", "http", "https"}, "wss": {"https"}}

func matchesScheme(expression, scheme string) bool {
	return expression == scheme || slices.Contains(weaker[expression], scheme)
}

var defaultPorts = map[string]string{"http": "80", "https": "443", "ws": "80", "wss": "443"}

func portOf(u *url.URL) string {
	if u.Port() != "" {
		return u.Port()
	}
	return defaultPorts[u.Scheme]
}

// matches is https://www.w3.org/TR/CSP3/#match-url-to-source-expression for expressions that name addresses. Nonces,
// hashes and other keywords match no address.
func matches(expression, address, self string) bool {
	u, err := url.Parse(address)
	own, errOwn := url.Parse(self)
	if err != nil || errOwn != nil {
		return false
	}
	switch {
	case expression == "*":
		return defaultPorts[u.Scheme] != "" || u.Scheme == own.Scheme
	case strings.EqualFold(expression, "'self'"):
		return u.Hostname() == own.Hostname() && matchesScheme(own.Scheme, u.Scheme) && matchesPort(own.Port(),
			own.Scheme, u)
	case strings.HasPrefix(expression, "'"):
		return false
	case strings.HasSuffix(expression, ":") && !strings.Contains(expression, "."):
		return matchesScheme(strings.ToLower(strings.TrimSuffix(expression, ":")), u.Scheme)
	}
	scheme, rest, hasScheme := strings.Cut(expression, "://")
	if !hasScheme {
		scheme, rest = own.Scheme, expression
	}
	host, path, _ := strings.Cut(rest, "/")
	scheme = strings.ToLower(scheme)
	return matchesScheme(scheme, u.Scheme) && matchesHost(strings.ToLower(host), scheme, u) && matchesPath(path, u.Path)
}

func matchesHost(expression, scheme string, u *url.URL) bool {
	host, port := expression, ""
	if i := strings.LastIndexByte(expression, ':'); i > strings.LastIndexByte(expression, ']') {
		host, port = expression[:i], expression[i+1:]
	}
	name := strings.ToLower(u.Hostname())
	if suffix, any := strings.CutPrefix(host, "*"); any {
		return strings.HasSuffix(name, suffix) && matchesPort(port, scheme, u)
	}
	return strings.Trim(host, "[]") == name && matchesPort(port, scheme, u)
}

// matchesPort is https://www.w3.org/TR/CSP3/#match-ports. port is that of the expression.
func matchesPort(port, scheme string, u *url.URL) bool {
	switch {
	case port == "*":
		return true
	case port == "":
		return portOf(u) == defaultPorts[u.Scheme]
	case port == portOf(u):
		return true
	}
	return port == defaultPorts[scheme] && portOf(u) == defaultPorts[u.Scheme] // 80, upgraded to 443
}

// matchesPath: a path that ends in / allows everything below it; another path only itself.
func matchesPath(expression, path string) bool {
	path = strings.TrimPrefix(path, "/")
	return expression == "" || path == expression ||
		strings.HasSuffix(expression, "/") && strings.HasPrefix(path, expression)
}

// sandboxLacks returns the first of the flags that a sandbox directive does not have; "" without such a directive.
func sandboxLacks(policies []policy, flags ...string) string {
	for _, p := range policies {
		allowed, ok := p["sandbox"]
		if !ok {
			continue
		}
		for _, flag := range flags {
			if !slices.Contains(allowed, flag) {
				return flag
			}
		}
	}
	return ""
}
