package main

import (
	"errors"
	"io"
	"net/url"

	"golang.org/x/net/html"
)

// loginForm is the form of a page that asks for a password.
type loginForm struct {
	action string
	fields url.Values // every hidden field, as a browser would send it
}

// readLoginForm finds the first form of page that has a field named password.
func readLoginForm(page io.Reader) (loginForm, error) {
	root, err := html.Parse(page)
	if err != nil {
		return loginForm{}, err
	}
	for node := range root.Descendants() {
		if node.Type == html.ElementNode && node.Data == "form" {
			if form, found := readForm(node); found {
				return form, nil
			}
		}
	}
	return loginForm{}, errors.New("the page has no form with a field named password; is it the provider's login page?")
}

func readForm(node *html.Node) (form loginForm, asksPassword bool) {
	form = loginForm{action: attribute(node, "action"), fields: url.Values{}}
	for input := range node.Descendants() {
		if input.Type != html.ElementNode || input.Data != "input" {
			continue
		}
		if attribute(input, "type") == "hidden" {
			form.fields.Add(attribute(input, "name"), attribute(input, "value"))
		}
		asksPassword = asksPassword || attribute(input, "name") == "password"
	}
	return form, asksPassword
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
