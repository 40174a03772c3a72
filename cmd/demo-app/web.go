package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/rp"
)

// webApp is the server-side app. Package rp does its protocol.
type webApp struct {
	party *rp.RP
	api   string // the API's address for this process
	host  string // the Host header that selects this layout
}

// sessionAnswer is the data of the page: the decoded tokens, without their signatures.
type sessionAnswer struct {
	SignedIn    bool          `json:"signed_in"`
	Name        string        `json:"name,omitempty"`
	Sub         string        `json:"sub,omitempty"`
	Renewals    int           `json:"renewals"`
	ExpiresIn   int64         `json:"expires_in"` // seconds left of the access token; the browser's clock may differ
	Lifetime    int64         `json:"lifetime"`   // seconds in all
	IDToken     *decodedToken `json:"id_token,omitempty"`
	AccessToken *decodedToken `json:"access_token,omitempty"`
}

func (w webApp) session(c echo.Context) error {
	session, err := w.party.Session(c.Request())
	if errors.Is(err, rp.ErrNoSession) {
		return answer(c, http.StatusOK, sessionAnswer{})
	}
	if err != nil {
		return err
	}
	left := int64(time.Until(session.Expiry).Seconds())
	accessToken := decode(session.AccessToken)
	return answer(c, http.StatusOK, sessionAnswer{
		SignedIn: true, Name: w.name(c.Request(), session), Sub: session.Sub, Renewals: session.Renewals,
		ExpiresIn: left, Lifetime: max(accessToken.lifetime(), left),
		IDToken: decode(session.IDToken), AccessToken: accessToken,
	})
}

// name asks the userinfo endpoint, because the ID Token has no name in it (Core §5.4). Without an answer within 3
// seconds the sub is the name.
func (w webApp) name(r *http.Request, session *rp.Session) string {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	var person struct{ Name string }
	claims, err := w.party.UserInfo(r.WithContext(ctx))
	if err != nil || json.Unmarshal(claims, &person) != nil || person.Name == "" {
		return session.Sub
	}
	return person.Name
}

// apiAnswer is the answer of the API.
type apiAnswer struct {
	Status    int    `json:"status"`
	Challenge string `json:"challenge"` // WWW-Authenticate
	Body      string `json:"body"`
}

// callAPI calls the API over HTTP, also with an expired token, so that the page can show the API's refusal.
func (w webApp) callAPI(c echo.Context) error {
	session, err := w.party.Session(c.Request())
	if errors.Is(err, rp.ErrNoSession) {
		return answer(c, http.StatusUnauthorized, map[string]string{
			"error": "no_session", "error_description": "there is no session, so there is no access token to call the API with"})
	}
	if err != nil {
		return err
	}
	result, err := w.get(c.Request().Context(), session.AccessToken)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, result)
}

// apiClient has a lower limit than WriteTimeout.
var apiClient = http.Client{Timeout: 15 * time.Second}

func (w webApp) get(ctx context.Context, accessToken string) (apiAnswer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.api, nil)
	if err != nil {
		return apiAnswer{}, err
	}
	r.Host = w.host
	r.Header.Set("Authorization", "Bearer "+accessToken)
	response, err := apiClient.Do(r)
	if err != nil {
		return apiAnswer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	return apiAnswer{response.StatusCode, response.Header.Get("WWW-Authenticate"), string(body)}, err
}

// decodedToken is a JWT without its signature, so it cannot be used: RFC 7519 §3.
type decodedToken struct {
	Header json.RawMessage `json:"header"`
	Claims json.RawMessage `json:"claims"`
}

// decode reads a JWT without verifying it. It returns nil for a token of another form.
func decode(token string) *decodedToken {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	header, errHeader := base64.RawURLEncoding.DecodeString(parts[0])
	claims, errClaims := base64.RawURLEncoding.DecodeString(parts[1])
	if errHeader != nil || errClaims != nil || !json.Valid(header) || !json.Valid(claims) {
		return nil
	}
	return &decodedToken{Header: header, Claims: claims}
}

// lifetime is exp - iat in seconds, or 0 without the two claims.
func (t *decodedToken) lifetime() int64 {
	var claims struct{ Iat, Exp int64 }
	if t == nil || json.Unmarshal(t.Claims, &claims) != nil {
		return 0
	}
	return claims.Exp - claims.Iat
}

// apiScope is the scope that an access token needs at the API.
const apiScope = "api.read"

// me is the API: it answers with the claims of the access token, which rp.Resource has verified.
func me(w http.ResponseWriter, r *http.Request) {
	token, ok := rp.AccessTokenFrom(r.Context())
	if !ok {
		http.Error(w, "this handler must stand behind rp.Resource", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	_ = oidc.WriteJSON(w, http.StatusOK, map[string]any{
		"hello": token.Sub, "client_id": token.ClientID, "scope": token.Scope.String(), "jti": token.Jti,
		"exp": token.Exp.UTC().Format(time.RFC3339),
	})
}
