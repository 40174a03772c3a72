package console

import "net/http"

// route is one thing that the console offers. serve returns what is written as JSON; nil when it has answered by
// itself.
type route struct {
	method, path string
	text         string
	serve        func(e *Endpoint, w http.ResponseWriter, r *http.Request) (any, error)
}

var routes = []route{
	{"GET", "", "the page", (*Endpoint).page},
	{"GET", "/token", "the CSRF token, for listed origins", (*Endpoint).token},
	{"GET", "/probe", "a page for a hidden iframe: which cookies arrived?", (*Endpoint).probe},

	{"GET", "/events", "flows as they happen (server-sent events)", (*Endpoint).events},
	{"GET", "/flows", "the recent flows, newest first", (*Endpoint).flows},
	{"GET", "/flows/{id}", "one flow: JSON, ?format=mermaid, ?format=transcript", (*Endpoint).flow},
	{"DELETE", "/flows", "forget all flows", (*Endpoint).forget},
	{"POST", "/reports", "what only the application saw", (*Endpoint).report},

	{"GET", "/faults", "the faults that wait, and those that are over", (*Endpoint).faults},
	{"POST", "/faults", "add a fault", (*Endpoint).addFault},
	{"DELETE", "/faults", "cancel all", (*Endpoint).clearFaults},
	{"DELETE", "/faults/{id}", "cancel one", (*Endpoint).cancelFault},
	{"GET", "/faults/kinds", "what can be made to go wrong", (*Endpoint).faultKinds},
	{"GET", "/clock", "the provider's time", (*Endpoint).clock},
	{"POST", "/clock", "move the provider's time", (*Endpoint).moveClock},

	{"GET", "/sessions", "who is signed in, and who was", (*Endpoint).sessions},
	{"POST", "/sessions/{id}", "end a session, let it expire, change its user", (*Endpoint).changeSession},
	{"GET", "/clients", "the clients, with settings for their libraries", (*Endpoint).clients},
	{"POST", "/clients", "add a client", (*Endpoint).addClient},
	{"PUT", "/clients", "change a client", (*Endpoint).editClient},
	{"POST", "/clients/{id}/redirect_uris", "register a redirect URI, and the client if need be",
		(*Endpoint).addRedirectURI},
	{"GET", "/keys", "the published keys", (*Endpoint).keys},
	{"POST", "/keys", "rotate: publish new keys, and sign with them as soon as every provider knows them",
		(*Endpoint).rotateKeys},
	{"GET", "/users", "who can sign in", (*Endpoint).users},
}
