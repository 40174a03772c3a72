package rp

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/hush-idp/hush/oidc"
)

// The codes that this package adds to those of the specifications. They appear as error beside error_description.
const (
	ProviderDown   oidc.ErrorCode = "provider_down"    // the provider gave no usable answer; try again later
	IssuerMismatch oidc.ErrorCode = "issuer_mismatch"  // an answer names another issuer than Config.Issuer
	InvalidState   oidc.ErrorCode = "invalid_state"    // no request of this browser belongs to the answer, or no longer
	InvalidIDToken oidc.ErrorCode = "invalid_id_token" // the ID Token broke a rule; error_description names it
	SubMismatch    oidc.ErrorCode = "sub_mismatch"     // a silent renewal found another user; the session has ended
	SessionChanged oidc.ErrorCode = "session_changed"  // the session ended or changed while a renewal was under way
	NotRefreshable oidc.ErrorCode = "not_refreshable"  // no refresh token, or none that the provider still takes: renew by SilentLogin
)

// ErrNoSession says that the request carries no session of this application: nobody signed in, or not any more.
var ErrNoSession = errors.New("rp: no session: the user is not signed in")

// ErrTokenExpired says that the session's access token has expired: renew it silently, or sign in again. No
// refresh token was there to do so.
var ErrTokenExpired = errors.New("rp: the access token has expired: renew it by SilentLogin")

// explanations say what a code of RFC 6749 §4.1.2.1, §5.2 or Core §3.1.2.6 means here and what to do.
var explanations = map[oidc.ErrorCode]string{
	oidc.LoginRequired:            "nobody is signed in at the provider, or the browser withheld the provider's cookie from the hidden frame: sign in",
	oidc.ConsentRequired:          "the user has not agreed to what this application asks for: sign in with a page, so that the provider can ask",
	oidc.InteractionRequired:      "the provider has to show the user a page first: sign in with a page",
	oidc.AccountSelectionRequired: "several accounts are signed in at the provider: sign in with a page and choose one",
	oidc.AccessDenied:             "the user or the provider said no",
	oidc.InvalidClient:            "the provider does not accept this client_id and client_secret: compare the two configurations",
	oidc.InvalidGrant:             "the provider does not accept the code: it was too old, used before or issued for something else; start again",
	oidc.UnauthorizedClient:       "the provider does not allow this client to do that: look at its registration",
	oidc.InvalidScope:             "the provider does not know or allow one of the scopes: compare Scopes with the client's registration",
	oidc.UseDPoPNonce:             "the provider keeps asking for another nonce in the DPoP proof (RFC 9449 section 8)",
	oidc.InvalidDPoPProof:         "the provider does not accept the DPoP proof: compare the clocks, and the address at which it is reached",
	oidc.InvalidRequestObject:     "the provider does not accept the request object: compare its signature's alg and key with the client's registration",
	oidc.InvalidTarget:            "the provider does not know one of the resources: compare Resources with its configuration",
	oidc.InvalidRequest:           "the provider refuses the request as malformed",
	oidc.ServerError:              "the provider failed: look at its log",
	oidc.TemporarilyUnavailable:   "the provider is overloaded or in maintenance: try again later",
}

// providerError puts an error that the provider sent into words. code and description come from outside.
func providerError(code, description string) *oidc.Error {
	if len(code) > 64 || strings.ContainsFunc(code, notErrorChar) {
		return oidc.ServerError.Errorf("the provider answered with an error code that is not one (RFC 6749 section 4.1.2.1)")
	}
	words, known := explanations[oidc.ErrorCode(code)]
	if !known {
		words = "the provider refused"
	}
	if description != "" {
		words += ". The provider says: " + clip(description)
	}
	return oidc.ErrorCode(code).Errorf("%s", words)
}

// notErrorChar: RFC 6749 §4.1.2.1 allows %x20-21 / %x23-5B / %x5D-7E.
func notErrorChar(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }

// clip keeps foreign text from filling a page or a URL.
func clip(text string) string {
	const limit = 300
	if len(text) > limit {
		return text[:limit] + "..."
	}
	return text
}

// asError finds the OAuth error in err; anything foreign is for the log only.
func asError(err error) *oidc.Error {
	if e, ok := errors.AsType[*oidc.Error](err); ok {
		return e
	}
	return oidc.ServerError.Errorf("this application failed; its log says why").Because(err)
}

// status is the HTTP status of a JSON answer: whose fault it was, and whether trying again makes sense.
func status(e *oidc.Error) int {
	switch e.Code {
	case ProviderDown:
		return http.StatusServiceUnavailable
	case IssuerMismatch, InvalidIDToken:
		return http.StatusBadGateway
	case NotMonitorable:
		return http.StatusNotFound
	case SessionChanged, NotRefreshable:
		return http.StatusConflict
	case SubMismatch, oidc.LoginRequired, oidc.ConsentRequired, oidc.InteractionRequired, oidc.AccountSelectionRequired:
		return http.StatusForbidden
	case oidc.InvalidClient: // this application's secret is wrong, which its user cannot help
		return http.StatusInternalServerError
	default:
		return e.Status()
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the connection is gone, or it worked: nobody is left to tell
}
