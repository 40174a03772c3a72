package authorize

import (
	"context"
	"errors"
	"net/url"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// Unpacked are the parameters of a request object or of a pushed request. The two tables below always hold: they tell
// the observer of rules where the parameters are from.
type Unpacked url.Values

var (
	fromObject = oidc.Table[Unpacked]{{
		Spec: "RFC 9101 §6",
		Text: "the parameters come out of the request object", Holds: func(Unpacked) bool { return true },
	}}
	fromPush = oidc.Table[Unpacked]{{
		Spec: "RFC 9126 §4", Text: "the parameters are those that were pushed", Holds: func(Unpacked) bool { return true },
	}}
)

// unpack puts the parameters of a request object, or of a pushed request, in the place of request and request_uri. On
// an error it returns the parameters that came; the error goes to the client if they have a verified redirect_uri.
func (e *Endpoint) unpack(ctx context.Context, waiting session.Interaction) (session.Interaction, error) {
	outer := waiting.Params
	value, uri := outer.Get("request"), outer.Get("request_uri")
	switch {
	case value == "" && uri == "", repeated(outer) != "": // the rules say what is wrong with the latter
		return waiting, nil
	case value != "" && uri != "":
		return waiting, oidc.InvalidRequest.Errorf(
			"request and request_uri came both: a request is in one of them (RFC 9101 §5)")
	}
	client, err := e.Clients.ByID(ctx, outer.Get("client_id"))
	switch {
	case errors.Is(err, clients.ErrUnknown): // returnAddress says so
		return waiting, nil
	case err != nil:
		return waiting, err
	case isPushed(uri):
		return e.pushed(ctx, client, uri, waiting)
	}
	object, err := e.object(ctx, client, value, uri)
	if err != nil {
		return waiting, err
	}
	waiting.FromObject = object.Signed
	waiting.Params, err = assemble(client, outer, object.Params)
	if err != nil {
		return waiting, err
	}
	return waiting, fromObject.Judge(ctx, Unpacked(waiting.Params))
}

func (e *Endpoint) object(ctx context.Context, client oidc.Client, value, uri string) (Object, error) {
	if uri != "" {
		return e.Objects.ReadAt(ctx, client, uri)
	}
	return e.Objects.Read(ctx, client, value)
}

// assemble puts together what came in the URL and in the request object. Where they differ the object counts. There are
// two specifications: with scope=openid in the URL, which Core §6.1 demands, "parameters may […] be passed" there too
// (Core §6.3.3); without, the provider "MUST only use the parameters in the Request Object" (RFC 9101 §6.3). The latter
// also holds of a client that must sign: what is outside is not signed.
func assemble(client oidc.Client, outer, inner url.Values) (url.Values, error) {
	if !oidc.ParseScope(outer.Get("scope")).Has(oidc.ScopeOpenID) || client.RequireSignedRequestObject || client.FAPI2() {
		return inner, nil
	}
	if a, b := outer.Get("response_type"), inner.Get("response_type"); a != "" && b != "" && a != b {
		return outer, oidc.InvalidRequest.Errorf(
			"response_type is %.50q in the URL and %.50q in the request object: they MUST match (Core §6.1)", a, b)
	}
	both := url.Values{}
	for _, params := range []url.Values{outer, inner} {
		for name, values := range params {
			both[name] = values
		}
	}
	both.Del("request")
	both.Del("request_uri")
	return both, nil
}

// pushed opens what was pushed. RFC 9126 §4: only client_id and request_uri count beside it.
func (e *Endpoint) pushed(
	ctx context.Context, client oidc.Client, uri string, waiting session.Interaction,
) (session.Interaction, error) {
	request, err := e.Pushed.Open(ctx, uri, client.ClientID)
	if err != nil {
		return waiting, asRequestURI(err)
	}
	waiting.Params, waiting.FromObject, waiting.RequestURI = request.Params, request.FromObject, uri
	return waiting, fromPush.Judge(ctx, Unpacked(waiting.Params))
}

// asRequestURI gives the errors of the pushed requests the code that a client knows (RFC 9101 §7).
func asRequestURI(err error) error {
	text := ""
	switch {
	case errors.Is(err, errNotPushed):
		text = "the request_uri is not known: it was never given to this client, or expired minutes ago"
	case errors.Is(err, errPushExpired):
		text = "the request_uri expired"
	case errors.Is(err, errPushSpent):
		text = "the request_uri gave a code before, and is good for one"
	default:
		return err
	}
	return oidc.InvalidRequestURI.Errorf("%s (RFC 9126 §4): push the request again", text).Blame(oidc.RequestMalformed)
}
