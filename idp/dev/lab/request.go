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
	v := requestInfo{
		endpoint:  endpoint,
		clientID:  clientOf(r, params),
		silent:    slices.Contains(strings.Fields(params.Get("prompt")), string(oidc.PromptNone)),
		origin:    r.Header.Get("Origin"),
		grantType: params.Get("grant_type"),
	}
	// What does not say where it is, such as a test written in Go, is taken for the iframe that silent requests are made
	// in.
	dest := r.Header.Get("Sec-Fetch-Dest")
	v.inFrame = dest == "iframe" || dest == "" && v.silent
	return v
}

// bodyPeek is as much of a body as is looked at: more than a client ever sends.
const bodyPeek = 64 << 10

// parameters reads those of the query and of the body, which it leaves as if nobody had read it: what is wrong with
// either is for the endpoint to say.
func parameters(r *http.Request) url.Values {
	query := r.URL.RawQuery
	if r.Method == http.MethodPost && r.Body != nil {
		head, _ := io.ReadAll(io.LimitReader(r.Body, bodyPeek))
		r.Body = rewound{io.MultiReader(bytes.NewReader(head), r.Body), r.Body}
		query += "&" + string(head)
	}
	// a raw semicolon is data, as at the authorization endpoint
	params, _ := url.ParseQuery(strings.ReplaceAll(query, ";", "%3B"))
	return params
}

// rewound is a body whose beginning is read again.
type rewound struct {
	io.Reader
	io.Closer
}

// clientOf is the client that the request says it is of: by parameter, by the Authorization header, or by its access
// token.
func clientOf(r *http.Request, params url.Values) string {
	if id := params.Get("client_id"); id != "" {
		return id
	}
	if user, _, ok := r.BasicAuth(); ok {
		id, _ := url.QueryUnescape(user)
		return id
	}
	bearer, _ := oidc.BearerToken(r.Header)
	return claimedClient(bearer)
}

// claimedClient reads the client_id of an access token. It is not verified: it chooses a fault and nothing else.
func claimedClient(token string) string {
	_, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	text, _ := base64.RawURLEncoding.DecodeString(payload)
	var claims struct {
		ClientID string `json:"client_id"`
	}
	_ = json.Unmarshal(text, &claims) // what cannot be read names no client
	return claims.ClientID
}
