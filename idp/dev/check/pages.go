package check

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

var pageChecks = []Check{
	{"callback.exists", "The callback page", "There is a page of HTML at the redirect URI",
		"RFC 6749 §3.1.2", Fetch, aboutPage, (*view).exists},
	{"callback.framable", "The callback page", "The app may frame its callback page",
		"CSP Level 3, frame-ancestors", Fetch, aboutPage, (*view).framable},
	{"callback.scripts", "The callback page", "The scripts of the callback page may run",
		"CSP Level 3, script-src", Fetch, aboutPage, (*view).scripts},
	{"app.frame_src", "The page of the app", "The policy of the app allows the iframe",
		"CSP Level 3, frame-src", Fetch, aboutPage, (*view).frameSrc},
	{"app.connect_src", "The page of the app", "The policy of the app allows requests to the provider",
		"CSP Level 3, connect-src", Fetch, aboutPage, (*view).connectSrc},
	{"app.sandbox", "The page of the app", "No sandbox takes scripts or the origin from the app",
		"CSP Level 3, sandbox", Fetch, aboutPage, (*view).sandbox},
	{"app.embedder", "The page of the app", "No embedder policy stops the iframe",
		"HTML §7.1.4", Fetch, aboutPage, (*view).embedder},
	{"app.opener", "The page of the app", "A popup of the sign-in can reach the window that opened it",
		"HTML §7.1.3", Fetch, aboutPage, (*view).opener},
	{"app.permissions", "The page of the app", "The provider in the iframe may ask for its cookie",
		"Permissions Policy §5", Fetch, aboutPage, (*view).permissions},
}

// fetched returns the page of this role. Without one, why is the verdict of each check about it: an error page, or a
// page of another address, says nothing about the page that a browser with cookies loads.
func (v *view) fetched(role Role) (page *Page, why verdict) {
	page, why = v.answerOf(role)
	switch {
	case page == nil:
	case role == RoleCallback && page.LedTo != "":
		return nil, cannotSee("GET %s without an answer of the provider redirects to %s", page.URL, page.LedTo)
	case page.RedirectsTo != "":
		return nil, cannotSee("GET %s redirects to %s, which was not fetched", page.URL, page.RedirectsTo)
	case page.Status != http.StatusOK:
		return nil, cannotSee("GET %s was answered with %d, and not with the page", page.URL, page.Status)
	}
	return page, why
}

// answerOf returns the answer for the page of this role, with any status.
func (v *view) answerOf(role Role) (page *Page, why verdict) {
	want := map[Role]string{RoleCallback: v.callbackPage(), RoleStart: v.startPage()}[role]
	i := slices.IndexFunc(v.Pages, func(p Page) bool { return p.Role == role && p.URL == want })
	switch {
	case want == "":
		return nil, v.noPage()
	case i < 0:
		return nil, notSeen("")
	case v.Pages[i].Problem != "":
		return nil, cannotSee("%s cannot be fetched: %s", want, v.Pages[i].Problem)
	}
	return &v.Pages[i], verdict{}
}

// framed is fetched for the callback page in the iframe.
func (v *view) framed() (*Page, verdict) { return v.inFrame(v.fetched) }

// inFrame finds the callback page, if there is one in the iframe. In the response mode web_message there is none.
func (v *view) inFrame(find func(Role) (*Page, verdict)) (*Page, verdict) {
	if v.silent != nil && v.silent.param("response_mode") == "web_message" {
		return nil,
			cannotSee("with response_mode=web_message the provider's page in the iframe passes the answer on, and no page " +
				"of the app is loaded there")
	}
	return find(RoleCallback)
}

func (v *view) exists() verdict {
	p, why := v.inFrame(v.answerOf)
	if p == nil {
		return why
	}
	media, _, _ := strings.Cut(p.header("Content-Type"), ";")
	switch {
	case p.LedTo != "":
		return cannotSee("GET %s without an answer of the provider redirects to %s", p.URL, p.LedTo)
	case p.RedirectsTo != "":
		return found(Fails, "GET %s redirects to %s", p.URL, p.RedirectsTo)
	case p.Status == http.StatusOK && slices.Contains([]string{"text/html", "application/xhtml+xml"}, media):
		return found(Holds, "GET %s: 200, %s", p.URL, media)
	case p.Status != http.StatusOK && p.Status != http.StatusNotFound && !v.Client.Public():
		return cannotSee("GET %s without an answer of the provider: %d", p.URL, p.Status)
	}
	return found(Fails, "GET %s: %d, %s", p.URL, p.Status, cmp.Or(media, "no Content-Type"))
}

func (v *view) framable() verdict {
	p, why := v.framed()
	if p == nil {
		return why
	}
	app, own := v.app(), oidc.Origin(p.URL)
	ancestors := slices.ContainsFunc(p.headerPolicies(), func(p policy) bool { return p["frame-ancestors"] != nil })
	options := strings.Join(p.values("X-Frame-Options"), ", ")
	known := frameOptions(options)
	switch {
	case ancestors:
		if refused := refusing(p.headerPolicies(), app, own, "frame-ancestors"); refused != "" {
			return found(Fails, "the callback page has Content-Security-Policy: %s, and the app is %s", refused, app)
		}
		return found(Holds, "its frame-ancestors allows %s", app)
	case options == "":
		return found(Holds, "it has neither X-Frame-Options nor frame-ancestors")
	case known == "":
		return found(Holds, "X-Frame-Options: %s, which browsers ignore", options)
	case known == "deny", app != own:
		return found(Fails, "the callback page has X-Frame-Options: %s, and the app is %s", options, app)
	}
	return found(Holds, "X-Frame-Options: %s, and the app has the same origin", options)
}

// frameOptions is what a browser understands by all values of X-Frame-Options: deny, sameorigin, or "" for a header
// that it ignores. Different values mean deny, if it knows one.
// https://html.spec.whatwg.org/#the-x-frame-options-header
func frameOptions(values string) string {
	list := strings.Split(strings.ToLower(values), ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	slices.Sort(list)
	list = slices.Compact(list)
	isKnown := func(value string) bool { return slices.Contains([]string{"deny", "sameorigin", "allowall"}, value) }
	switch {
	case len(list) > 1 && slices.ContainsFunc(list, isKnown):
		return "deny"
	case len(list) == 1 && list[0] != "allowall" && isKnown(list[0]):
		return list[0]
	}
	return ""
}

func (v *view) scripts() verdict {
	p, why := v.framed()
	if p == nil {
		return why
	}
	if flag := sandboxLacks(p.headerPolicies(), "allow-scripts", "allow-same-origin"); flag != "" {
		return found(Fails, "the callback page has a sandbox without %s in its Content-Security-Policy", flag)
	}
	for _, policy := range p.policies() {
		name, sources := policy.sources("script-src-elem", "script-src", "default-src")
		text := strings.Join(append([]string{name}, sources...), " ")
		isRefused := func(s script) bool { return !s.allowedBy(sources, p.URL) }
		switch i := slices.IndexFunc(p.scripts, isRefused); {
		case name == "":
		case len(sources) == 0, slices.Equal(sources, []string{"'none'"}):
			return found(Fails, "the callback page has Content-Security-Policy: %s", text)
		case i >= 0:
			return found(Fails, "the callback page has %s, and Content-Security-Policy: %s", p.scripts[i].name(), text).
				inferring("The browser does not run this script")
		}
	}
	return found(Holds, "no policy of the callback page stops its scripts")
}

func (v *view) frameSrc() verdict {
	p, why := v.fetched(RoleStart)
	if p == nil {
		return why
	}
	for _, address := range []string{v.Issuer + "/authorize", v.callbackPage()} {
		if refused := refusing(p.policies(), address, oidc.Origin(p.URL), "frame-src", "child-src",
			"default-src"); refused != "" {
			return found(Fails, "%s has Content-Security-Policy: %s, and the iframe loads %s", p.URL, refused, address)
		}
	}
	return found(Holds, "no policy of %s stops an iframe from loading the provider and the callback page", p.URL)
}

func (v *view) connectSrc() verdict {
	p, why := v.fetched(RoleStart)
	if p == nil {
		return why
	}
	address := v.Issuer + "/token"
	if refused := refusing(p.policies(), address, oidc.Origin(p.URL), "connect-src", "default-src"); refused != "" {
		return found(Fails, "%s has Content-Security-Policy: %s, and its script requests %s", p.URL, refused, address)
	}
	return found(Holds, "no policy of %s stops requests to %s", p.URL, oidc.Origin(v.Issuer))
}

func (v *view) sandbox() verdict {
	p, why := v.fetched(RoleStart)
	if p == nil {
		return why
	}
	if flag := sandboxLacks(p.headerPolicies(), "allow-scripts", "allow-same-origin"); flag != "" {
		return found(Fails, "%s has a sandbox without %s in its Content-Security-Policy", p.URL, flag)
	}
	return found(Holds, "the policy of %s has no sandbox that stops the app", p.URL).
		inferring("The provider cannot see whether the iframe has a sandbox attribute")
}

func (v *view) embedder() verdict {
	p, why := v.fetched(RoleStart)
	if p == nil {
		return why
	}
	of := embedderPolicy(p)
	if of == "" || of == "unsafe-none" {
		return found(Holds, "%s has no Cross-Origin-Embedder-Policy", p.URL)
	}
	callback, why := v.framed()
	if callback == nil {
		return why
	}
	if inside := embedderPolicy(callback); inside == "" || inside == "unsafe-none" {
		return found(Fails, "%s has Cross-Origin-Embedder-Policy: %s, and the callback page has none", p.URL, of).
			inferring("The browser does not load a page without this policy into the iframe")
	}
	return found(Holds, "%s and the callback page have a Cross-Origin-Embedder-Policy", p.URL)
}

func embedderPolicy(p *Page) string { return firstItem(p.header("Cross-Origin-Embedder-Policy")) }

// firstItem is the value of a structured field without its parameters (RFC 9651 §3.3).
func firstItem(value string) string {
	item, _, _ := strings.Cut(value, ";")
	return strings.TrimSpace(item)
}

func (v *view) opener() verdict {
	start, why := v.fetched(RoleStart)
	if start == nil {
		return why
	}
	const inferred = "This concerns only a sign-in by a popup: the popup cannot reach the window that opened it"
	if firstItem(start.header("Cross-Origin-Opener-Policy")) == "same-origin" {
		return found(Fails, "%s has Cross-Origin-Opener-Policy: same-origin", start.URL).inferring(inferred)
	}
	if callback, _ := v.fetched(RoleCallback); callback != nil {
		of := firstItem(callback.header("Cross-Origin-Opener-Policy"))
		if strings.HasPrefix(of, "same-origin") {
			return found(Fails, "the callback page has Cross-Origin-Opener-Policy: %s", of).inferring(inferred)
		}
	}
	return found(Holds, "no Cross-Origin-Opener-Policy separates a popup from %s", start.URL)
}

// found is the verdict about a page.
func found(outcome Outcome, format string, values ...any) verdict {
	return (*event)(nil).verdict(outcome, format, values)
}

// isWholeApp reports whether the callback page and the start page have the same content.
func (v *view) isWholeApp() bool {
	callback, _ := v.fetched(RoleCallback)
	start, _ := v.fetched(RoleStart)
	return callback != nil && start != nil && callback.sum == start.sum && callback.Status == http.StatusOK
}

// nested judges the requests and, if they were fetched, the two pages.
func (v *view) nested() verdict {
	const same = "the callback page and the start page are the same page"
	if v.silent == nil {
		return notSeen("")
	}
	if text, ok := v.silent.told(oidc.CallbackNested); ok {
		return fails(v.silent, "%s", text).because(oidc.CallbackNested)
	}
	_, silent := v.silent.told(oidc.CallbackSilent)
	switch {
	case silent && v.isWholeApp():
		return fails(v.silent, "%s, and the code in the iframe was not redeemed", same).because(oidc.CallbackSilent).
			inferring("The whole app started in the iframe, and its router left the address with the code")
	case v.silent.flow.State != trace.FlowDone:
		return notSeen("no silent renewal has reached its end yet")
	case v.isWholeApp():
		return holds(v.silent, "the last silent renewal reached its end; %s", same).
			inferring("Each renewal loads the whole app in the iframe. A separate callback page is faster")
	}
	return holds(v.silent, "the last silent renewal reached its end, and no request came from the redirect URI")
}
