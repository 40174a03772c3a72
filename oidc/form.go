package oidc

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// FormType is the media type of a form in a body (RFC 6749 appendix B).
const FormType = "application/x-www-form-urlencoded"

// maxParameters limits a form or a query; no valid request needs as many. It is the limit of net/url, which gives no
// parameters with its error.
const maxParameters = 10_000

// usualParameters is how many parameters ParseQuery makes place for at once; more are appended.
const usualParameters = 16

var errParameters = errors.New("too many parameters")

// maxForm limits a form in the body, in bytes. A server may have a lower limit.
const maxForm = 1 << 20

// ParseQuery parses a query, or a form of FormType. Only & separates parameters, so a raw semicolon is data: net/url
// refuses it, but state and redirect URIs have semicolons, and browsers do not encode them in a query. A percent sign
// without two hexadecimal digits after it is an error, and so are more than 10,000 parameters; the values then hold the
// others.
// https://url.spec.whatwg.org/#urlencoded-parsing
func ParseQuery(text string) (url.Values, error) {
	if text == "" {
		return url.Values{}, nil
	}
	count := strings.Count(text, "&") + 1
	values := make(url.Values, min(count, usualParameters))
	singles := make([]string, 0, min(count, usualParameters)) // the values of all parameters that come once
	var failed error
	seen := 0
	for parameter := range strings.SplitSeq(text, "&") {
		if seen++; seen > maxParameters {
			return values, errParameters
		}
		if parameter == "" {
			continue
		}
		name, value, _ := strings.Cut(parameter, "=")
		var err, errValue error
		if strings.IndexByte(parameter, '%') >= 0 || strings.IndexByte(parameter, '+') >= 0 { // most have nothing to decode
			name, err = url.QueryUnescape(name)
			value, errValue = url.QueryUnescape(value)
		}
		switch err = cmp.Or(err, errValue); {
		case err != nil:
			failed = cmp.Or(failed, err) // the first one
		case values[name] != nil:
			values[name] = append(values[name], value)
		default:
			singles = append(singles, value)
			values[name] = singles[len(singles)-1 : len(singles) : len(singles)]
		}
	}
	return values, failed
}

// EncodeQuery encodes parameters for the query or the fragment of a redirect, sorted by name. It writes a blank as %20:
// both %20 and + are right, but clients that decode with decodeURIComponent read %20 only.
func EncodeQuery(params url.Values) string {
	var place [1024]byte // on the stack: usual answers fit
	query := place[:0]
	names := slices.AppendSeq(make([]string, 0, len(params)), maps.Keys(params))
	slices.Sort(names)
	for _, name := range names {
		for _, value := range params[name] {
			query = append(append(query, '&'), url.QueryEscape(name)...)
			query = append(append(query, '='), url.QueryEscape(value)...)
		}
	}
	if len(query) == 0 {
		return ""
	}
	return strings.ReplaceAll(string(query[1:]), "+", "%20") // QueryEscape writes a plus sign as %2B
}

// ParseForm parses the form in the body into r.PostForm, and both the form and the query into r.Form, the form's values
// first. Without a query both are the same map. It works as (*http.Request).ParseForm does, by the rules of ParseQuery:
// it parses a request once, and a second call returns nil. After an error r.Form has the parameters that can be read,
// and FormFault returns the text of the error.
func ParseForm(r *http.Request) (err error) {
	if r.PostForm == nil {
		r.PostForm = url.Values{}
		media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
		if writes := r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch; writes &&
			r.Body != nil && strings.EqualFold(strings.TrimSpace(media), FormType) {
			var body []byte
			if body, err = io.ReadAll(http.MaxBytesReader(nil, r.Body, maxForm)); err == nil {
				r.PostForm, err = ParseQuery(string(body))
			}
		}
	}
	if r.Form != nil {
		return err
	}
	if r.Form = r.PostForm; r.URL.RawQuery == "" {
		return err
	}
	query, errQuery := ParseQuery(r.URL.RawQuery)
	for name, values := range r.PostForm {
		query[name] = append(slices.Clip(values), query[name]...)
	}
	r.Form = query
	if err == nil {
		err = errQuery
	}
	return err
}

// brokenBody is the fault of a body whose connection failed.
const brokenBody = "the body did not come in time, or not whole"

// isBroken reports a network error. Its text names internal addresses.
func isBroken(err error) bool {
	_, ok := errors.AsType[net.Error](err)
	return ok
}

// FormFault says what is wrong with a form that could not be read because of err: for error_description, without the
// words of Go's packages.
func FormFault(err error) string {
	escape, isEscape := errors.AsType[url.EscapeError](err)
	switch {
	case isBroken(err):
		return brokenBody
	case errors.Is(err, errParameters):
		return fmt.Sprintf("it has more than %d parameters", maxParameters)
	case isEscape:
		return fmt.Sprintf("%q is no percent-encoded byte", string(escape))
	}
	return "it is not form-encoded (application/x-www-form-urlencoded)"
}
