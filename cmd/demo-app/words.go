package main

// The captions of the four steps: the same story for both apps, told from where each of them stands.

func spaPage() page {
	return page{
		Title: "Single-page app",
		Steps: []step{
			{1, "The app opens a hidden iframe on the provider's /authorize, with prompt=none and a code_challenge.",
				"prompt=none means: answer without showing a page. The challenge is the hash of a secret that stays here (PKCE)."},
			{2, "The provider recognises its session cookie, checks the request and redirects the iframe back with a code.",
				"If it cannot, it redirects back with an error instead, such as login_required."},
			{3, "The iframe tells the page around it, which exchanges code and code_verifier for new tokens and checks them.",
				"A stolen code is worth nothing without the verifier."},
			{4, "The app calls its API with the fresh access token.",
				"The API checks signature, issuer, audience, expiry and scope."},
		},
		IDToken:     token{"id-token", "ID token", "For this app: who signed in, when and how. It is proof, not a key: the API would refuse it."},
		AccessToken: token{"access-token", "Access token", "For the API: what its bearer may do. The app could not even read it with another provider; here it is a JWT."},
	}
}

func webPage() page {
	p := spaPage()
	p.Title = "Server-side app"
	p.Steps = []step{
		{1, "The page opens a hidden iframe; the app's server sends it to the provider's /authorize, with prompt=none and a code_challenge.",
			"The server has no other way to ask: the provider knows the person by a cookie that only the browser has."},
		p.Steps[1],
		{3, "The iframe hands the code to the app's server by a fetch. The server exchanges it, with code_verifier and client secret, for new tokens and checks them.",
			"A fetch, since browsers withhold the app's cookies from the redirect itself when it comes from another site into an iframe."},
		{4, "The app's server calls the API with the fresh access token.",
			"The token never reaches the browser."},
	}
	p.IDToken.Text = "For this app: who signed in, when and how. The server checked it, and sends this page its claims only."
	p.AccessToken.Text = "For the API: what its bearer may do. The server decoded it for you to see; the token itself stays there."
	return p
}
