package console

import (
	"net/http"

	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/idp/token"
	"github.com/hush-idp/hush/trace"
)

// Route is one method at a path below Path. The OpenAPI document is made of the routes and the types that they name.
type Route struct {
	Method, Path string
	Does         string // in one sentence
	// Takes and Gives are the bodies of the request and the answer, as zero values of their types. nil: the route takes
	// none, or gives none.
	Takes, Gives any
	Query        []Parameter
	// serve returns the answer for JSON, or nil after it has written the answer.
	serve func(e *Endpoint, w http.ResponseWriter, r *http.Request) (any, error)
}

// Parameter is a parameter of the query.
type Parameter struct{ Name, Does string }

// Text is an answer that is no JSON, as its media type.
type Text string

// object is a body of free form: an object of JSON.
type object map[string]any

// Routes are all routes.
func Routes() []Route { return routes }

var routes = []Route{
	{"GET", "", "The page for developers.", nil, Text("text/html"), nil, (*Endpoint).page},
	{"GET", "/openapi.json", "This document.", nil, object{}, nil, (*Endpoint).openAPI},
	{"GET", "/token", "The CSRF token, for pages of console_origins.", nil, tokenAnswer{}, nil, (*Endpoint).token},
	{
		"GET", "/probe", "A page that tells the page around it whether the session cookie came.", nil, Text("text/html"),
		[]Parameter{{"origin", "the origin of the page around it, one of console_origins"}}, (*Endpoint).probe,
	},

	{
		"GET", "/events", "Flows as they happen, as server-sent events: each is a flow without its records, and the record " +
			"that changed it.", nil, Text("text/event-stream"), nil, (*Endpoint).events,
	},
	{"GET", "/flows", "The flows, or the next flow that fits.", nil, flowList{}, flowQuery, (*Endpoint).flows},
	{
		"GET", "/flows/{id}", "One flow with its messages and records.", nil, trace.Flow{},
		[]Parameter{{"format", "mermaid or transcript, for text instead of JSON"}}, (*Endpoint).flow,
	},
	{"DELETE", "/flows", "Forgets all flows.", nil, nil, nil, (*Endpoint).forget},
	{"GET", "/cookies", "The last 100 requests with cookies.", nil, cookieList{}, nil, (*Endpoint).cookies},
	{
		"GET", "/requests", "The requests that the tab Try it builds, with their parameters.", nil, requestList{}, nil,
		(*Endpoint).requests,
	},
	{
		"GET", "/callback", "A redirect URI for requests of the console: a page that tells the answer to the console.", nil,
		Text("text/html"), nil, (*Endpoint).callback,
	},
	{"POST", "/reports", "An application tells what it alone sees.", report{}, nil, nil, (*Endpoint).report},

	{
		"POST", "/jwt", "Decodes a JWT and checks it, check by check, as its recipient should.", jwtBody{}, jwtAnswer{}, nil,
		(*Endpoint).jwt,
	},
	{
		"POST", "/preview", "The claims that a user's tokens and userinfo would have for a client, each with its cause.",
		previewBody{}, previewAnswer{}, nil, (*Endpoint).preview,
	},
	{
		"POST", "/tokens", "Makes all tokens of a user for a client.", tokensBody{}, token.Response{}, nil,
		(*Endpoint).tokens,
	},

	{"GET", "/faults", "The faults that wait, and the last that are over.", nil, faultList{}, nil, (*Endpoint).faults},
	{"POST", "/faults", "Makes the provider fail on purpose.", lab.Fault{}, lab.Fault{}, nil, (*Endpoint).addFault},
	{"DELETE", "/faults", "Ends all faults.", nil, nil, nil, (*Endpoint).clearFaults},
	{"DELETE", "/faults/{id}", "Ends one fault.", nil, nil, nil, (*Endpoint).cancelFault},
	{"GET", "/faults/kinds", "What can fail, and where.", nil, kindList{}, nil, (*Endpoint).faultKinds},
	{"GET", "/lab", "What the failure lab does now.", nil, labAnswer{}, nil, (*Endpoint).lab},
	{"POST", "/lab/off", "Ends all faults, and brings the real time back.", nil, labAnswer{}, nil, (*Endpoint).turnOff},
	{"GET", "/clock", "The provider's time.", nil, clockAnswer{}, nil, (*Endpoint).clock},
	{"POST", "/clock", "Moves or freezes the provider's time.", lab.Move{}, clockAnswer{}, nil, (*Endpoint).moveClock},

	{"GET", "/sessions", "The last 100 sessions.", nil, sessionList{}, nil, (*Endpoint).sessions},
	{
		"POST", "/sessions", "Signs a user in without a page, and gives the cookies.", signInBody{}, signInAnswer{}, nil,
		(*Endpoint).signIn,
	},
	{
		"POST", "/sessions/{id}", "Ends a session, makes it old, or gives it to another user.", sessionChange{},
		sessionAnswer{}, nil, (*Endpoint).changeSession,
	},

	{"GET", "/users", "The users.", nil, userList{}, nil, (*Endpoint).users},
	{"GET", "/users/{username}", "One user.", nil, userAnswer{}, nil, (*Endpoint).user},
	{"PUT", "/users/{username}", "Adds or replaces a user.", userBody{}, userAnswer{}, nil, (*Endpoint).putUser},
	{
		"PATCH", "/users/{username}", "Changes members of a user, by a JSON merge patch (RFC 7396).", userBody{},
		userAnswer{}, nil, (*Endpoint).patchUser,
	},
	{"DELETE", "/users/{username}", "Removes a user.", nil, nil, nil, (*Endpoint).deleteUser},

	{"GET", "/clients", "The clients.", nil, clientList{}, nil, (*Endpoint).clients},
	{"GET", "/clients/{id}", "One client.", nil, clientAnswer{}, nil, (*Endpoint).client},
	{
		"PUT", "/clients/{id}", "Adds or replaces a client. The members are those of the configuration file.", clientBody{},
		clientAnswer{}, nil, (*Endpoint).putClient,
	},
	{
		"PATCH", "/clients/{id}", "Changes members of a client, by a JSON merge patch (RFC 7396).", clientBody{},
		clientAnswer{}, nil, (*Endpoint).patchClient,
	},
	{"DELETE", "/clients/{id}", "Removes a client.", nil, nil, nil, (*Endpoint).deleteClient},
	{
		"POST", "/clients/{id}/redirect_uris", "Registers one more redirect URI; an unknown client becomes a public one.",
		redirectBody{}, clientAnswer{}, nil, (*Endpoint).addRedirectURI,
	},
	{
		"GET", "/checks", "Judges an app by what the provider saw of it.", nil, checkList{}, checkQuery, (*Endpoint).checks,
	},
	{
		"POST", "/checks", "Fetches the callback page and the start page of an app, and judges it.", checksBody{},
		checkList{}, nil, (*Endpoint).fetchAndCheck,
	},

	{"GET", "/keys", "The signing keys.", nil, keyList{}, nil, (*Endpoint).keys},
	{"POST", "/keys", "Makes new signing keys; the old ones verify.", nil, keyList{}, nil, (*Endpoint).rotateKeys},

	{
		"POST", "/reset", "Ends all sessions, consents and tokens of users; undoes all changes of users, clients, faults " +
			"and the clock; forgets the flows.", nil, nil, nil, (*Endpoint).reset,
	},
}
