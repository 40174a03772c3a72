package idp_test

import (
	"net/http"
	"net/url"
	"time"

	"github.com/hush-idp/hush/idptest"
)

func codesLast(l *outlived) {
	b := l.signedIn("alice")
	code, unused := b.Code(idptest.Request("spa", "prompt", "none")), b.Code(idptest.Request("spa", "prompt", "none"))
	l.secret(code, unused)
	l.restart()
	tokens := b.Tokens("spa", code)
	l.restart()
	wantPage(l.T, userinfo(l.T, b, tokens), http.StatusOK, "sub")
	wantPage(l.T, b.Post("/token", codeForm(code)), http.StatusBadRequest, "[code.replayed]")
	l.restart()
	wantPage(l.T, userinfo(l.T, b, tokens), http.StatusUnauthorized, "revoked")
	wantPage(l.T, b.Post("/token", codeForm(code)), http.StatusBadRequest, "[code.replayed]")
	l.clock.Pass(10 * time.Minute)
	l.restart()
	wantPage(l.T, b.Post("/token", codeForm(code)), http.StatusBadRequest, "invalid_grant")
	wantPage(l.T, b.Post("/token", codeForm(unused)), http.StatusBadRequest, "invalid_grant")
}

// codeForm redeems a code of spa.
func codeForm(code string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "client_id": {"spa"}, "code_verifier": {idptest.CodeVerifier},
		"redirect_uri": {idptest.Request("spa").Get("redirect_uri")},
	}
}
