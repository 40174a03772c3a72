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

	"github.com/hush-idp/hush/rp"
)

// webApp is the server-side app without its protocol, which is package rp's.
type webApp struct {
	party *rp.RP
	api   string // the API's address, as this process reaches it
	host  string // the name under which the API belongs to this layout
}

// sessionAnswer is what the page shows. There is no token in it, only what the tokens say.
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
		SignedIn:    true,
		Name:        w.name(c.Request(), session),
		Sub:         session.Sub,
		Renewals:    session.Renewals,
		ExpiresIn:   left,
		Lifetime:    max(accessToken.lifetime(), left),
		IDToken:     decode(session.IDToken),
		AccessToken: accessToken,
	})
}

// name asks the userinfo endpoint, since the ID Token says who but not what they are called (Core §5.4). Without an answer
// soon the sub must do.
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

// apiAnswer is what the API said, passed on.
type apiAnswer struct {
	Status    int    `json:"status"`
	Challenge string `json:"challenge"` // WWW-Authenticate
	Body      string `json:"body"`
}

// callAPI calls the API as any client would. It takes the session's token even when that has expired, where
// rp.TokenSource would refuse: what the API says then is worth seeing here.
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

// apiClient has a time limit below that of the request that waits for it.
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

// decodedToken is a JWT without its signature, so nobody can use it: RFC 7519 §3.
type decodedToken struct {
	Header json.RawMessage `json:"header"`
	Claims json.RawMessage `json:"claims"`
}

// decode reads a JWT without verifying it, which package rp has done, or leaves to the API. It returns nil for a token that
// is no JWT, as access tokens may be.
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

// lifetime is how long the token lives in all, in seconds; 0 when it does not say.
func (t *decodedToken) lifetime() int64 {
	var claims struct{ Iat, Exp int64 }
	if t == nil || json.Unmarshal(t.Claims, &claims) != nil {
		return 0
	}
	return claims.Exp - claims.Iat
}
