package reasons

import "github.com/hush-idp/hush/oidc"

var aboutRequest = Group{
	Title: "The authorization request",
	Lead: "Until client and redirect URI are verified there is no address to answer to: the error is a page, and in a hidden iframe nobody " +
		"sees it. Every later error goes back to the app by redirect.",
	Reasons: []Reason{
		{
			Code:  oidc.ClientUnknown,
			Title: "The client_id is not registered",
			Happened: "A request named a `client_id` that this provider does not have. The authorization endpoint answers with a page, because it knows no " +
				"address that is the client's; in a hidden iframe an app only sees that time runs out (10 seconds in oidc-client-ts). The token endpoint " +
				"answers `invalid_client`.",
			HowWeKnow: "The `client_id` was looked up in the register: the clients of the configuration, and those added in the console since the start.",
			HowSure:   "Certain. What was added in the console is gone after a restart, unless its YAML went into the file.",
			WhatToDo: "Compare the spelling, upper and lower case too, and the provider's address: is the client registered at another provider? Otherwise add " +
				"it, in the console or in the file; the error page and the console show the lines. A list of clients in the file replaces the " +
				"built-in `spa` and `web`.",
			Spec: []Link{rfc6749("2.2"), rfc6749("4.1.2.1")},
		},
		{
			Code:  oidc.RedirectUnregistered,
			Title: "The redirect_uri is not registered for this client",
			Happened: "The client is known, but the `redirect_uri` of the request is not one of its registered ones. The answer is a page and never a " +
				"redirect: sending anything to an unverified address would give it to whoever wrote the link. In a hidden iframe the app sees ten " +
				"seconds of nothing.",
			HowWeKnow: "The URI was compared to the letter with each registered one; only the port of an `http` URI on a loopback host is free. The error names the " +
				"nearest registered one and what is different about it.",
			HowSure: "Certain that none is equal. Which one was meant is a guess: the one that differs in the fewest parts, then in the fewest letters.",
			WhatToDo: "Correct the app, or register the address; on loopback the error page and the console do it at a click. A silent renewal often uses an " +
				"address of its own (oidc-client-ts: `silent_redirect_uri`): that one must be registered too. A final slash, `http` for " +
				"`https` and `127.0.0.1` for `localhost` all count.",
			Spec: []Link{coreAuthRequest, rfc("9700", "2.1"), rfc("8252", "7.3")},
		},
		{
			Code:  oidc.RequestMalformed,
			Title: "The request breaks a rule of the endpoint",
			Happened: "Client and address are right, but the request itself is not: a parameter is missing, came twice, has a value that the specification " +
				"does not allow, or asks for something that this provider does not do. The error went to the app by redirect.",
			HowWeKnow: "The rules are a table, each with its section, and were judged in order. The first that is not kept is the answer: `error_description` " +
				"holds its sentence, what came instead and what to do.",
			HowSure:  "Certain about the first broken rule. Those behind it were not judged.",
			WhatToDo: "Follow the sentence in `error_description`. The flow in the console shows every parameter as it arrived.",
			Spec:     []Link{coreAuthRequest, rfc6749("4.1.2.1")},
		},
		{
			Code:  oidc.PKCEMissing,
			Title: "PKCE was left out on one side",
			Happened: "Either a client that must use PKCE sent an authorization request without `code_challenge`: every public client must, and a " +
				"confidential one with `require_pkce`. That error goes to the app by redirect, as `invalid_request`. Or the token request lacks the " +
				"`code_verifier` to a challenge, or has one although there was no challenge: then the answer is `invalid_grant`, and the code is spent.",
			HowWeKnow: "The registration says whether the client needs PKCE. The `code_challenge`, or that there was none, is stored with the code, and the " +
				"token request is held against it.",
			HowSure: "Certain. Something between app and provider that rebuilds URLs may have dropped the parameter; the request looks the same.",
			WhatToDo: "Use a library that does PKCE (oidc-client-ts does without being asked; in golang.org/x/oauth2 add `S256ChallengeOption`), with " +
				"`code_challenge_method=S256`. Make a new verifier for each request, renewals too.",
			Spec: []Link{rfc("7636", "4.3"), rfc("9700", "2.1.1")},
		},
	},
}
