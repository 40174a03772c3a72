package lab

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hush-idp/hush/oidc"
)

// requestInfo is the part of a request by which faults are chosen.
type requestInfo struct {
	endpoint  string
	clientID  string // "" where the request does not carry it
	silent    bool   // prompt=none
	inFrame   bool
	origin    string // header: set by a script of another origin
	grantType string
}

// requestKey is the key of the requestInfo in a request's context.
type requestKey struct{}

func newRequestInfo(r *http.Request, endpoint string) requestInfo {
	params := parameters(r)
	dest := r.Header.Get("Sec-Fetch-Dest")
	silent := slices.Contains(strings.Fields(params.Get("prompt")), string(oidc.PromptNone))
	return requestInfo{
		endpoint: endpoint, clientID: clientOf(r, params), silent: silent, origin: r.Header.Get("Origin"),
		grantType: params.Get("grant_type"),
		// a silent request without Sec-Fetch-Dest, such as one of a test in Go, counts as one in an iframe
		inFrame: dest == "iframe" || dest == "" && silent,
	}
}

const bodyPeek = 64 << 10 // bytes of a body that the lab reads: more than a client sends

// parameters reads the parameters of the query and of the body. The endpoint can read the body again, and judges both.
func parameters(r *http.Request) url.Values {
	query := r.URL.RawQuery
	if r.Method == http.MethodPost && r.Body != nil {
		head, _ := io.ReadAll(io.LimitReader(r.Body, bodyPeek))
		r.Body = rewound{io.MultiReader(bytes.NewReader(head), r.Body), r.Body}
		query += "&" + string(head)
	}
	params, _ := oidc.ParseQuery(query)
	return params
}

// rewound is a body whose beginning is read again.
type rewound struct {
	io.Reader
	io.Closer
}

// clientOf is the client that the request names by parameter, by the Authorization header, or by its access token.
func clientOf(r *http.Request, params url.Values) string {
	if id := params.Get("client_id"); id != "" {
		return id
	}
	if user, _, ok := oidc.BasicAuth(r.Header); ok {
		id, _ := url.QueryUnescape(user)
		return id
	}
	bearer, _ := oidc.BearerToken(r.Header)
	var claims struct {
		ClientID string `json:"client_id"`
	}
	if parts := strings.Split(bearer, "."); len(parts) > 1 {
		payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
		_ = json.Unmarshal(payload, &claims) // an unreadable or forged token only chooses another fault
	}
	return claims.ClientID
}
