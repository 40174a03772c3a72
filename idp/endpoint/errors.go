package endpoint

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// ErrNotFound is the error of a handler for a path that does not exist. The answer is a 404.
var ErrNotFound = errors.New("there is nothing at this path")

// Errors converts errors to the *oidc.Error that a client gets.
type Errors struct {
	// ReasonPages is the base URL of the pages about reason codes, for error_uri. It is empty outside of development
	// mode.
	ReasonPages string
	// Remark returns what the failure lab did to the request of ctx, in parentheses, or "". It is nil outside of
	// development mode.
	Remark func(ctx context.Context) string
}

// Explain returns the *oidc.Error for err, the error of the request of ctx; nil for nil. A store that cannot be reached
// becomes temporarily_unavailable, and an error without a reason gets the usual reason of its code. In development mode
// the description ends with the Remark and the reason.
func (e Errors) Explain(ctx context.Context, err error) *oidc.Error {
	explained := oidc.AsError(err)
	if errors.Is(err, storage.ErrUnavailable) {
		explained = oidc.TemporarilyUnavailable.Errorf(
			"the provider cannot reach its store: try again in some seconds").Because(err).Blame(oidc.StoreUnavailable)
	}
	if explained == nil {
		return nil
	}
	if explained.Reason == "" {
		explained = explained.Blame(usualReasons[explained.Code])
	}
	if e.ReasonPages == "" {
		return explained
	}
	if e.Remark != nil {
		explained = explained.Remarked(e.Remark(ctx))
	}
	return explained.Explained(e.ReasonPages)
}

// usualReasons are the default reasons, by error code.
var usualReasons = map[oidc.ErrorCode]oidc.Reason{
	oidc.InvalidRequest:        oidc.RequestMalformed,
	oidc.InvalidScope:          oidc.ScopeRefused,
	oidc.UnsupportedGrantType:  oidc.GrantTypeRefused,
	oidc.UnauthorizedClient:    oidc.GrantTypeRefused,
	oidc.InvalidRedirectURI:    oidc.RegistrationRefused,
	oidc.InvalidClientMetadata: oidc.RegistrationRefused,

	oidc.UnapprovedSoftwareStatement: oidc.RegistrationRefused,

	oidc.InvalidTarget:            oidc.RequestMalformed,
	oidc.InvalidRequestObject:     oidc.RequestMalformed,
	oidc.InvalidRequestURI:        oidc.RequestMalformed,
	oidc.UnsupportedResponseType:  oidc.RequestMalformed,
	oidc.RegistrationNotSupported: oidc.RequestMalformed,
	oidc.InvalidToken:             oidc.TokenInvalid,
	oidc.InvalidClient:            oidc.ClientAuthentication,
	oidc.InvalidDPoPProof:         oidc.DPoPProof,
	oidc.UseDPoPNonce:             oidc.DPoPProof,
	oidc.ServerError:              oidc.ServerFailed,
}

// Refuse reports the error in the answer, also if Serve returns nil because it sent the error to the client by
// redirect. Logs, metrics, spans and the trace record it as the error of the request.
func Refuse(w http.ResponseWriter, refused *oidc.Error) {
	for w != nil {
		if reporter, ok := w.(interface{ Refused(*oidc.Error) }); ok {
			reporter.Refused(refused)
			return
		}
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return
		}
		w = wrapper.Unwrap()
	}
}

// Outcome is how a request ended, after its answer was written.
type Outcome struct {
	Request *http.Request // the request after Serve; its form is parsed if the endpoint parsed it
	Status  int           // 0: the connection was dropped without an answer
	Took    time.Duration // from the arrival of the request to the end of the answer
	Header  http.Header   // of the answer
	Refused *oidc.Error   // the error in the answer (JSON, page or redirect); nil: none
}
