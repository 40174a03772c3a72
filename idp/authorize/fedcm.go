package authorize

import (
	"net/http"
	"net/url"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// Delivery is what must be true of a request whose answer a script gets directly, without a redirect.
type Delivery struct {
	Origin      string // of the script
	RedirectURI string // verified
	Chosen      string // the sub of the account that the user chose
	About       string // the sub that the request names by a hint or by the claims parameter; "": none
}

// deliveries are judged after the address is verified: the code goes to a script of that address's origin.
var deliveries = oidc.Table[Delivery]{{
	Spec: "FedCM for OAuth", Text: "the script that gets the code has the origin of redirect_uri",
	Params: []string{"redirect_uri"}, Reason: oidc.OriginNotAllowed,
	Holds: func(d Delivery) bool { return d.Origin == oidc.Origin(d.RedirectURI) },
	Got:   func(d Delivery) string { return "the origin " + quote(d.Origin) + " for " + clip(d.RedirectURI) },
	Help:  "send a registered redirect_uri of the same origin in params; the token request repeats it",
}, {
	Spec: "Core §3.1.2.2", Text: "the account that the user chose is the one that the request is about",
	Params: []string{"id_token_hint", "claims"}, Else: oidc.LoginRequired, Reason: oidc.SessionOtherUser,
	Holds: func(d Delivery) bool { return d.About == "" || d.About == d.Chosen },
	Help: "leave out id_token_hint, and give navigator.credentials.get a loginHint, so that the browser offers that " +
		"account",
}}

// Decide judges a request that the browser sent by FedCM, for idp/fedcm, as Authorize judges others. waiting has the
// parameters, the account that the user chose (Sub), and the endpoint to which a page returns (Path). origin is that of
// the script that gets the code; "" if the request comes back from a page, since it was verified before the page.
//
// The result is a code, the address of a page to show first, or an error.
func (e *Endpoint) Decide(
	r *http.Request, waiting session.Interaction, origin string,
) (code, page string, err error) {
	address, request, err := e.read(r.Context(), waiting)
	if err != nil {
		return "", "", err
	}
	if origin == "" {
		origin = oidc.Origin(address.redirectURI)
	}
	delivery := Delivery{
		Origin: origin, RedirectURI: address.redirectURI, Chosen: waiting.Sub, About: request.boundTo(),
	}
	if err := deliveries.Judge(r.Context(), delivery); err != nil {
		return "", "", err
	}
	request.ChosenSub, request.Path = waiting.Sub, waiting.Path
	decided, err := e.decide(r, &request, waiting.Denied)
	return decided.code, decided.page, err
}

// ReadParams reads the parameters of a request by FedCM: one JSON object, as the payload of a request object is
// (RFC 9101 §4).
func (e *Endpoint) ReadParams(text, clientID string) (url.Values, error) {
	m, err := newMembers([]byte(text))
	return m.params(clientID), err
}
