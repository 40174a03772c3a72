package rp

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// The codes that this package adds to the codes of the specifications. They appear as error beside error_description.
const (
	ProviderDown   oidc.ErrorCode = "provider_down"    // the provider gave no usable answer; try again later
	IssuerMismatch oidc.ErrorCode = "issuer_mismatch"  // an answer names another issuer than Config.Issuer
	InvalidState   oidc.ErrorCode = "invalid_state"    // the answer belongs to no request of this browser, or is late
	InvalidIDToken oidc.ErrorCode = "invalid_id_token" // the ID Token broke a rule; error_description names it
	SubMismatch    oidc.ErrorCode = "sub_mismatch"     // a silent renewal found another user; the session has ended
	SessionChanged oidc.ErrorCode = "session_changed"  // the session ended or changed during a renewal
	NotRefreshable oidc.ErrorCode = "not_refreshable"  // no refresh token, or a refused one: renew by SilentLogin
	NotMonitorable oidc.ErrorCode = "not_monitorable"  // the provider has no check_session_iframe or session_state
)

// ErrNoSession says that the request carries no session of this application: the user is not signed in.
var ErrNoSession = errors.New("rp: no session: the user is not signed in")

// ErrTokenExpired says that the access token has expired and the session has no refresh token: renew it silently.
var ErrTokenExpired = errors.New("rp: the access token has expired: renew it by SilentLogin")

var (
	errSessionChanged = SessionChanged.Errorf("the session ended, or another one began, during the renewal: " +
		"nothing was changed")
	errAnotherUser = SubMismatch.Errorf("the provider answered for another user than the one signed in here " +
		"(Core section 12.2): the session has ended; sign in again")
)

// explanations are the meaning of the provider's error codes (RFC 6749 §4.1.2.1, §5.2, Core §3.1.2.6), and what to do.
var explanations = map[oidc.ErrorCode]string{
	oidc.LoginRequired:            "nobody is signed in at the provider, or the browser withheld its cookie: sign in",
	oidc.ConsentRequired:          "the user has not agreed to this request: sign in with a page",
	oidc.InteractionRequired:      "the provider has to show the user a page first: sign in with a page",
	oidc.AccountSelectionRequired: "several accounts are signed in at the provider: sign in with a page and choose one",
	oidc.AccessDenied:             "the user or the provider said no",
	oidc.InvalidClient:            "the provider does not accept this client's authentication: compare the configurations",
	oidc.InvalidGrant:             "the provider does not accept the code: it is too old, or was used before; start again",
	oidc.UnauthorizedClient:       "the provider does not allow this client to do that: look at its registration",
	oidc.InvalidScope:             "the provider does not know or allow one of Scopes: compare the client's registration",
	oidc.UseDPoPNonce:             "the provider keeps asking for another nonce in the DPoP proof (RFC 9449 section 8)",
	oidc.InvalidDPoPProof:         "the provider does not accept the DPoP proof: compare the clocks and addresses",
	oidc.InvalidRequestObject:     "the provider does not accept the request object: compare alg and key of its signature",
	oidc.InvalidTarget:            "the provider does not know one of the resources: compare them with its configuration",
	oidc.InvalidRequest:           "the provider refuses the request as malformed",
	oidc.ServerError:              "the provider failed: look at its log",
	oidc.TemporarilyUnavailable:   "the provider is overloaded or in maintenance: try again later",
}

// providerError is the error for an error answer of the provider. code and description are untrusted text.
func providerError(code, description string) *oidc.Error {
	if len(code) > 64 || strings.ContainsFunc(code, notErrorChar) {
		return oidc.ServerError.Errorf("the provider's error code is not valid (RFC 6749 section 4.1.2.1)")
	}
	text, known := explanations[oidc.ErrorCode(code)]
	if !known {
		text = "the provider refused"
	}
	if description != "" {
		text += ". The provider says: " + clip(description)
	}
	return oidc.ErrorCode(code).Errorf("%s", text)
}

// notErrorChar: RFC 6749 §4.1.2.1 allows %x20-21 / %x23-5B / %x5D-7E.
func notErrorChar(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }

// clip shortens untrusted text to 300 bytes, so that it cannot fill a page or a URL.
func clip(text string) string {
	const limit = 300
	if len(text) > limit {
		return text[:limit] + "..."
	}
	return text
}

// asError finds the OAuth error in err. The text of any other error goes to the log only.
func asError(err error) *oidc.Error {
	if e, ok := errors.AsType[*oidc.Error](err); ok {
		return e
	}
	if errors.Is(err, ErrNoSession) {
		return oidc.LoginRequired.Errorf("nobody is signed in here: sign in")
	}
	return oidc.ServerError.Errorf("this application failed; its log says why").Because(err)
}

// statuses are the HTTP statuses of JSON answers, where they differ from oidc.Error's own.
var statuses = map[oidc.ErrorCode]int{
	ProviderDown:                  http.StatusServiceUnavailable,
	IssuerMismatch:                http.StatusBadGateway,
	InvalidIDToken:                http.StatusBadGateway,
	NotMonitorable:                http.StatusNotFound,
	SessionChanged:                http.StatusConflict,
	NotRefreshable:                http.StatusConflict,
	SubMismatch:                   http.StatusForbidden,
	oidc.LoginRequired:            http.StatusForbidden,
	oidc.ConsentRequired:          http.StatusForbidden,
	oidc.InteractionRequired:      http.StatusForbidden,
	oidc.AccountSelectionRequired: http.StatusForbidden,
	oidc.InvalidClient:            http.StatusInternalServerError, // a fault of the application, not of its user
}

func status(e *oidc.Error) int { return cmp.Or(statuses[e.Code], e.Status()) }

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Cache-Control", "no-store")
	_ = oidc.WriteJSON(w, status, body)
}

func writeError(w http.ResponseWriter, e *oidc.Error) { writeJSON(w, status(e), e) }

// refuse answers a fetch with err as JSON and logs message.
func (p *RP) refuse(w http.ResponseWriter, r *http.Request, message string, err error) {
	e := asError(err)
	p.logFailure(r.Context(), message, e)
	writeError(w, e)
}

func (p *RP) logFailure(ctx context.Context, message string, e *oidc.Error) {
	p.config.Log.WarnContext(ctx, message,
		"error", string(e.Code), "error_description", e.Description, "cause", e.Unwrap())
}

// spendOnce stores key for ttl. When the key is stored already, it returns used.
func spendOnce(ctx context.Context, spent storage.Bucket[bool], key string, ttl time.Duration, used error) error {
	return spent.Update(ctx, key, ttl, func(old *bool) (*bool, error) {
		if old != nil {
			return nil, used
		}
		return new(true), nil
	})
}
