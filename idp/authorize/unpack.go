package authorize

import (
	"context"
	"errors"
	"maps"
	"net/url"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// Unpacked are the parameters of a request object or of a pushed request. Their rules always hold; the rules show the
// observer the source of the parameters.
type Unpacked url.Values

var (
	fromObject = oidc.Table[Unpacked]{{
		Spec: "RFC 9101 §6", Text: "the parameters come out of the request object",
		Holds: func(Unpacked) bool { return true },
	}}
	fromPush = oidc.Table[Unpacked]{{
		Spec: "RFC 9126 §4", Text: "the parameters are those that were pushed", Holds: func(Unpacked) bool { return true },
	}}
)

// unpack replaces request or request_uri by the parameters of the request object or of the pushed request. With an
// error it returns waiting unchanged; the error goes to the client if the redirect_uri in it is verified.
func (e *Endpoint) unpack(ctx context.Context, waiting session.Interaction) (session.Interaction, error) {
	outer := waiting.Params
	value, uri := outer.Get("request"), outer.Get("request_uri")
	switch {
	case value == "" && uri == "", repeated(outer) != "": // rules reports repeated parameters
		return waiting, nil
	case value != "" && uri != "":
		return waiting, oidc.InvalidRequest.Errorf(
			"request and request_uri came both: a request is in one of them (RFC 9101 §5)")
	}
	client, err := e.Clients.ByID(ctx, outer.Get("client_id"))
	switch {
	case errors.Is(err, clients.ErrUnknown): // returnAddress reports it
		return waiting, nil
	case err != nil:
		return waiting, err
	case isPushed(uri):
		return e.pushed(ctx, client, uri, waiting)
	}
	read, at := e.Objects.Read, value
	if uri != "" {
		read, at = e.Objects.ReadAt, uri
	}
	object, err := read(ctx, client, at)
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

// assemble joins the parameters of the URL and of the request object; the object wins. Parameters in the URL count only
// with scope=openid there (Core §6.1, §6.3.3; RFC 9101 §6.3). A client that must sign may not use them, because the URL
// is not signed.
func assemble(client *oidc.Client, outer, inner url.Values) (url.Values, error) {
	if !oidc.ParseScope(outer.Get("scope")).Has(oidc.ScopeOpenID) || client.RequireSignedRequestObject || client.FAPI2() {
		return inner, nil
	}
	if a, b := outer.Get("response_type"), inner.Get("response_type"); a != "" && b != "" && a != b {
		return outer, oidc.InvalidRequest.Errorf(
			"response_type is %.50q in the URL and %.50q in the request object: they MUST match (Core §6.1)", a, b)
	}
	both := maps.Clone(outer)
	maps.Copy(both, inner)
	both.Del("request")
	both.Del("request_uri")
	return both, nil
}

// pushed opens a pushed request. All other parameters of the URL are ignored (RFC 9126 §4).
func (e *Endpoint) pushed(
	ctx context.Context, client *oidc.Client, uri string, waiting session.Interaction,
) (session.Interaction, error) {
	request, err := e.Pushed.Open(ctx, uri, client.ClientID)
	if err != nil {
		return waiting, asRequestURI(err)
	}
	waiting.Params, waiting.FromObject, waiting.RequestURI = request.Params, request.FromObject, uri
	return waiting, fromPush.Judge(ctx, Unpacked(waiting.Params))
}

// asRequestURI converts an error of PushedRequests to an invalid_request_uri (RFC 9101 §7).
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
