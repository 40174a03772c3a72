package check

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Role is the purpose of a page.
type Role string

// The roles. The start page opens the hidden iframe, and the callback page is loaded in the iframe.
const (
	RoleCallback Role = "callback"
	RoleStart    Role = "start"
)

// Page is a page of the app as the provider fetched it: without cookies, and without the parameters of an answer.
type Page struct {
	Role        Role          `json:"role"` // callback, or start: the page that opens the iframe
	URL         string        `json:"url"`
	At          time.Time     `json:"at"`
	Problem     string        `json:"problem,omitempty"` // why it was not fetched; then the fields below are empty
	Status      int           `json:"status,omitempty"`
	Headers     []PageHeader  `json:"headers,omitempty"`      // only those that a check reads
	MetaCSP     []string      `json:"meta_csp,omitempty"`     // the policies in its meta elements
	LedTo       string        `json:"led_to,omitempty"`       // the page of this origin that came after redirects
	RedirectsTo string        `json:"redirects_to,omitempty"` // an address that was not asked
	HasDate     bool          `json:"has_date,omitempty"`     // it has a Date
	ClockOffset time.Duration `json:"clock_offset,omitempty"` // how far its Date is ahead of the provider, in nanoseconds
	scripts     []script      // in the order of the page
	sum         [sha256.Size]byte
}

// PageHeader is one header line of a page.
type PageHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// readHeaders are the headers that the checks read.
var readHeaders = []string{
	"Content-Type", "Content-Security-Policy", "X-Frame-Options", "Cross-Origin-Opener-Policy",
	"Cross-Origin-Embedder-Policy", "Permissions-Policy",
}

const maxPage = 256 << 10 // bytes of a page that are read

// take reads the response into the page. The headers stay whole, since a cut policy would have another meaning. All of
// them together have at most maxPageHeaders bytes.
func (p *Page) take(response *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(response.Body, maxPage))
	if err != nil {
		return err
	}
	p.Status, p.sum = response.StatusCode, sha256.Sum256(body)
	for _, name := range readHeaders {
		for _, value := range response.Header.Values(name) {
			p.Headers = append(p.Headers, PageHeader{name, value})
		}
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		p.HasDate, p.ClockOffset = true, date.Sub(p.At.Truncate(time.Second))
	}
	p.readHTML(body)
	return nil
}

// readHTML finds the policies and the scripts in the page.
func (p *Page) readHTML(body []byte) {
	tokens := html.NewTokenizer(bytes.NewReader(body))
	open := false // in a script
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return
		case html.StartTagToken, html.SelfClosingTagToken:
			switch tag := tokens.Token(); {
			case tag.DataAtom == atom.Meta && strings.EqualFold(attribute(tag, "http-equiv"), "Content-Security-Policy"):
				p.MetaCSP = append(p.MetaCSP, attribute(tag, "content"))
			case tag.DataAtom == atom.Script && isScript(attribute(tag, "type")):
				p.scripts = append(p.scripts, script{src: attribute(tag, "src"), nonce: attribute(tag, "nonce")})
				open = true
			}
		case html.TextToken:
			if open {
				p.scripts[len(p.scripts)-1].text = string(tokens.Raw())
				open = false
			}
		case html.EndTagToken:
			open = false
		}
	}
}

// isScript tells whether a script element of this type is run: https://html.spec.whatwg.org/#prepare-the-script-element
func isScript(kind string) bool {
	return slices.Contains([]string{"", "module", "text/javascript", "application/javascript"}, strings.ToLower(kind))
}

func attribute(tag html.Token, name string) string {
	for _, a := range tag.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func (p *Page) values(name string) (values []string) {
	for _, h := range p.Headers {
		if h.Name == name {
			values = append(values, h.Value)
		}
	}
	return values
}

// header is the value of a header; of several the first.
func (p *Page) header(name string) string {
	if values := p.values(name); len(values) > 0 {
		return values[0]
	}
	return ""
}

// headerPolicies are the policies of the header, which alone may have frame-ancestors and sandbox
// (https://www.w3.org/TR/CSP3/#meta-element).
func (p *Page) headerPolicies() []policy { return policiesIn(p.values("Content-Security-Policy")) }

// policies are those of the header and of the meta elements. A meta element cannot set a sandbox.
func (p *Page) policies() []policy { return append(p.headerPolicies(), policiesIn(p.MetaCSP)...) }
