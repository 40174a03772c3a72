package renewal

import (
	"errors"
	"io"
	"net/url"

	"golang.org/x/net/html"
)

// filled finds the first form that asks for a password, or else the first form, such as one that asks for consent. It
// returns the form's action and its fields, hidden or filled in.
func filled(page io.Reader, username, password string) (action string, fields url.Values, err error) {
	root, err := html.Parse(page)
	if err != nil {
		return "", nil, err
	}
	for form := range root.Descendants() {
		if form.Data != "form" {
			continue
		}
		values, asksPassword := fill(form, username, password)
		if asksPassword || fields == nil {
			action, fields = attribute(form, "action"), values
		}
		if asksPassword {
			break
		}
	}
	if fields == nil {
		return "", nil, errors.New("the page has no form; is it the provider's login page?")
	}
	return action, fields, nil
}

func fill(form *html.Node, username, password string) (fields url.Values, asksPassword bool) {
	fields = url.Values{}
	for input := range form.Descendants() {
		name := attribute(input, "name")
		if input.Data != "input" || name == "" {
			continue
		}
		switch attribute(input, "type") {
		case "hidden":
			fields.Add(name, attribute(input, "value"))
		case "password":
			fields.Set(name, password)
			asksPassword = true
		case "", "text":
			fields.Set(name, username)
		}
	}
	return fields, asksPassword
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
