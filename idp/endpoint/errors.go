package endpoint

import (
	"errors"
	"net/http"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// ErrNotFound is the error of a handler that has nothing at this path. The answer is a 404.
var ErrNotFound = errors.New("there is nothing at this path")

// Errors gives errors the form that a client sees.
type Errors struct {
	// ReasonPages is the URL below which each reason code has a page; error_uri leads there. Empty outside of development
	// mode.
	ReasonPages string
}

// Explain returns the *oidc.Error for err; nil for nil. A store that cannot be reached becomes temporarily_unavailable,
// an error without a reason gets the usual one of its code, and in development mode the description ends with the
// reason.
func (e Errors) Explain(err error) *oidc.Error {
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
	return explained.Explained(e.ReasonPages)
}

// usualReasons are the reasons of errors that name none.
var usualReasons = map[oidc.ErrorCode]oidc.Reason{
	oidc.InvalidRequest:           oidc.RequestMalformed,
	oidc.InvalidScope:             oidc.RequestMalformed,
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

// Refuse reports an error that the answer carries although Serve returned nil: an error that goes to the client by
// redirect. Logs, metrics, spans and the trace see it as the error of the request.
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
	Request *http.Request // as the endpoint served it: its form was parsed, if the endpoint did that
	Status  int           // 0: the connection was dropped without an answer
	Header  http.Header   // of the answer
	Refused *oidc.Error   // the error that the answer carries, by JSON, page or redirect; nil: none
}
