package fetch

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
)

// jsonTypes are the accepted media types of JSON. Many hosts serve plain files as text or bytes.
var jsonTypes = []string{"application/json", "+json", "text/plain", "application/octet-stream"}

// read returns the document in a response.
func read(address string, response *http.Response, types []string) ([]byte, error) {
	refuse := func(format string, a ...any) ([]byte, error) {
		return nil, &Error{URL: address, Text: fmt.Sprintf(format, a...)}
	}
	switch media, _, err := mime.ParseMediaType(response.Header.Get("Content-Type")); {
	case response.StatusCode >= 300 && response.StatusCode < 400:
		return refuse("its server redirects, which is not followed: write the final address")
	case response.StatusCode != http.StatusOK:
		return refuse("its server answers with status %d, expected 200", response.StatusCode)
	case response.Header.Get("Content-Encoding") != "" && response.Header.Get("Content-Encoding") != "identity":
		return refuse("it came compressed, although that was not asked for")
	case response.ContentLength > maxBody:
		return refuse("it has more than %d bytes", maxBody)
	case err != nil || !slices.ContainsFunc(types, isType(media)):
		return refuse("its Content-Type is %.50q, expected %s", response.Header.Get("Content-Type"), types[0])
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, failed(address, err)
	case len(body) > maxBody:
		return refuse("it has more than %d bytes", maxBody)
	}
	return body, nil
}

func isType(media string) func(string) bool {
	return func(want string) bool {
		return media == want || strings.HasPrefix(want, "+") && strings.HasSuffix(media, want)
	}
}

// accept is the Accept header for the types.
func accept(types []string) string {
	whole := slices.DeleteFunc(slices.Clone(types), func(t string) bool { return strings.HasPrefix(t, "+") })
	return strings.Join(append(whole, "*/*;q=0.1"), ", ")
}
