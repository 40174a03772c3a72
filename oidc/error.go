package oidc

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// ErrorCode is the value of the error parameter of an OAuth response.
type ErrorCode string

// The codes of RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, Core §3.1.2.6 and, as noted, of other specifications.
const (
	InvalidRequest          ErrorCode = "invalid_request"
	UnauthorizedClient      ErrorCode = "unauthorized_client"
	AccessDenied            ErrorCode = "access_denied"
	UnsupportedResponseType ErrorCode = "unsupported_response_type"
	InvalidScope            ErrorCode = "invalid_scope"
	ServerError             ErrorCode = "server_error"
	TemporarilyUnavailable  ErrorCode = "temporarily_unavailable"
	InvalidClient           ErrorCode = "invalid_client"
	InvalidGrant            ErrorCode = "invalid_grant"
	UnsupportedGrantType    ErrorCode = "unsupported_grant_type"
	InvalidToken            ErrorCode = "invalid_token"
	InsufficientScope       ErrorCode = "insufficient_scope"

	InteractionRequired      ErrorCode = "interaction_required"
	LoginRequired            ErrorCode = "login_required"
	AccountSelectionRequired ErrorCode = "account_selection_required"
	ConsentRequired          ErrorCode = "consent_required"
	RequestNotSupported      ErrorCode = "request_not_supported"
	RequestURINotSupported   ErrorCode = "request_uri_not_supported"
	RegistrationNotSupported ErrorCode = "registration_not_supported"

	InvalidRequestURI           ErrorCode = "invalid_request_uri"           // RFC 9101 §7
	InvalidRequestObject        ErrorCode = "invalid_request_object"        // RFC 9101 §7
	InvalidTarget               ErrorCode = "invalid_target"                // RFC 8707 §2
	InvalidDPoPProof            ErrorCode = "invalid_dpop_proof"            // RFC 9449 §5
	UseDPoPNonce                ErrorCode = "use_dpop_nonce"                // RFC 9449 §8
	AuthorizationPending        ErrorCode = "authorization_pending"         // RFC 8628 §3.5
	SlowDown                    ErrorCode = "slow_down"                     // RFC 8628 §3.5
	ExpiredToken                ErrorCode = "expired_token"                 // RFC 8628 §3.5
	UnsupportedTokenType        ErrorCode = "unsupported_token_type"        // RFC 7009 §2.2.1
	InvalidRedirectURI          ErrorCode = "invalid_redirect_uri"          // RFC 7591 §3.2.2
	InvalidClientMetadata       ErrorCode = "invalid_client_metadata"       // RFC 7591 §3.2.2
	InvalidSoftwareStatement    ErrorCode = "invalid_software_statement"    // RFC 7591 §3.2.2
	UnapprovedSoftwareStatement ErrorCode = "unapproved_software_statement" // RFC 7591 §3.2.2

	UnmetAuthenticationRequirements ErrorCode = "unmet_authentication_requirements" // the specification of that name, §2
)

// Errorf makes an error with the code. The text becomes error_description: it tells the client's developer what was
// wrong, what was expected and what to do. It must not contain a secret.
func (c ErrorCode) Errorf(format string, a ...any) *Error {
	return &Error{Code: c, Description: ascii(fmt.Sprintf(format, a...))}
}

// Error is an OAuth error. In a redirect it is written as Params, in other answers as JSON with Status.
type Error struct {
	Code        ErrorCode `json:"error"`
	Description string    `json:"error_description,omitempty"`
	URI         string    `json:"error_uri,omitempty"` // a page about the error, for the client's developer

	Reason Reason `json:"-"` // more exact than Code; may be empty
	cause  error  // for the log only
}

// AsError finds the *Error in err. Without one it returns a server_error with err as its cause; for nil it returns nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return ServerError.Errorf("the provider failed; its log says why").Because(err)
}

// Because returns a copy of e that unwraps to cause. The cause is for the log; no answer shows it.
func (e *Error) Because(cause error) *Error {
	copied := *e
	copied.cause = cause
	return &copied
}

// Blame returns a copy of e with the Reason.
func (e *Error) Blame(reason Reason) *Error {
	copied := *e
	copied.Reason = reason
	return &copied
}

// Remarked returns a copy of e with the remark at the end of the description.
func (e *Error) Remarked(remark string) *Error {
	copied := *e
	copied.Description = strings.TrimSpace(e.Description + " " + ascii(remark))
	return &copied
}

// Explained returns a copy of e with its Reason at the end of the description, and the page about that reason below
// base as error_uri (RFC 6749 §4.1.2.1). Without a Reason it returns e itself.
func (e *Error) Explained(base string) *Error {
	if e.Reason == "" {
		return e
	}
	copied := *e
	copied.Description += " [" + string(e.Reason) + "]"
	copied.URI = base + string(e.Reason)
	return &copied
}

// Error implements error: the code, the description and, for the log, the cause.
func (e *Error) Error() string {
	text := string(e.Code) + ": " + e.Description
	if e.cause != nil {
		text += " (" + e.cause.Error() + ")"
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Params are the error's parameters in an authorization response (RFC 6749 §4.1.2.1).
func (e *Error) Params() url.Values {
	params := url.Values{"error": {string(e.Code)}}
	if e.Description != "" {
		params.Set("error_description", e.Description)
	}
	if e.URI != "" {
		params.Set("error_uri", e.URI)
	}
	return params
}

// Status is the HTTP status of an answer with the error as JSON or as a page (RFC 6749 §5.2, RFC 6750 §3.1).
func (e *Error) Status() int {
	switch e.Code {
	case InvalidClient, InvalidToken:
		return http.StatusUnauthorized
	case AccessDenied, InsufficientScope:
		return http.StatusForbidden
	case ServerError:
		return http.StatusInternalServerError
	case TemporarilyUnavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusBadRequest
	}
}

// ascii replaces the characters that error_description must not have (RFC 6749 §4.1.2.1).
func ascii(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e {
			return '?'
		}
		return r
	}, inASCII.Replace(text))
}

// inASCII replaces the non-ASCII characters that texts of this module use.
var inASCII = strings.NewReplacer(
	`"`, "'", `\`, "/", "§", "section ", "…", "...", "—", "-", "–", "-", "’", "'", "“", "'", "”", "'",
)
