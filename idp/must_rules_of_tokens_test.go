package idp_test

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/hush-idp/hush/oidc"
)

// lasting registers a client and lets alice allow it lasting access.
func (x truth) lasting(change ...any) (client, tokens map[string]any) {
	x.t.Helper()
	client = x.client(change...)
	_, tokens = x.tokens(client, "scope", "openid offline_access", "prompt", "consent")
	if tokens["refresh_token"] == nil {
		x.t.Fatalf("no refresh token: %v", tokens)
	}
	return client, tokens
}

// refreshed is a good refresh request.
func (x truth) refreshed(client, tokens map[string]any) url.Values {
	return x.with(client, "grant_type", oidc.GrantRefreshToken, "refresh_token", tokens["refresh_token"].(string))
}

// asked is what the client is told of a token at the introspection endpoint.
func (x truth) asked(client map[string]any, token any) map[string]any {
	x.t.Helper()
	page := x.b.Post("/introspect", x.with(client, "token", token.(string)))
	if page.Status != http.StatusOK {
		x.t.Fatalf("got %d %s", page.Status, page.Body)
	}
	return claims(x.t, page.Body)["token_introspection"].(map[string]any)
}

// unguessable is how many characters out of 32 or more make 128 bits or more.
const unguessable = 26

var mustsOfTokens = []must{
	{"RFC 6749 §10.1 a client that cannot keep a secret is issued none", func(x truth) {
		answer := registered(x.t, x.p, "token_endpoint_auth_method", oidc.AuthMethodNone)
		x.want(answer["client_secret"], nil)
	}},
	{"RFC 6749 §10.2 who cannot be authenticated MUST have registered its redirect URIs", func(x truth) {
		document := map[string]any{"token_endpoint_auth_method": oidc.AuthMethodNone}
		w := sendJSON(x.t, x.p, http.MethodPost, "/register", document, "")
		x.want(object(x.t, w, http.StatusBadRequest)["error"], "invalid_redirect_uri")
	}},
	{"RFC 6749 §10.2 a client that can be authenticated MUST be: at each endpoint where it is somebody", func(x truth) {
		client, tokens := x.lasting()
		for _, path := range []string{"/token", "/revoke", "/introspect", "/par", "/device_authorization"} {
			form := x.refreshed(client, tokens)
			form.Set("token", tokens["access_token"].(string))
			form.Del("client_secret")
			x.denied(path, form, http.StatusUnauthorized, "invalid_client")
		}
	}},
	{"RFC 6749 §10.5 codes MUST be single-use, and a second use revokes what the first gave", func(x truth) {
		client := x.client()
		code, tokens := x.tokens(client, "scope", "openid offline_access", "prompt", "consent")
		x.denied("/token", x.redeem(client, code), http.StatusBadRequest, "invalid_grant")
		x.denied("/token", x.refreshed(client, tokens), http.StatusBadRequest, "invalid_grant")
		x.want(userinfo(x.t, x.b, tokens).Status, http.StatusUnauthorized)
	}},
	{
		"RFC 6749 §10.10 codes, refresh tokens and client secrets MUST NOT be guessed: each has 128 random bits or more",
		func(x truth) {
			client := x.client()
			code, tokens := x.tokens(client, "scope", "openid offline_access", "prompt", "consent")
			for _, secret := range []any{code, tokens["refresh_token"], client["client_secret"]} {
				parts := strings.Split(secret.(string), ".")
				if last := parts[len(parts)-1]; len(last) < unguessable {
					x.t.Errorf("%q has %d characters", last, len(last))
				}
			}
		},
	},
	{"RFC 6749 §10.10 an opaque access token MUST NOT be guessed: it has 128 random bits or more", func(x truth) {
		_, tokens := x.tokens(x.client("access_token_format", oidc.FormatOpaque))
		_, secret, _ := strings.Cut(tokens["access_token"].(string), ".")
		x.want(len(secret) >= unguessable, true)
		tokens["access_token"] = tokens["access_token"].(string)[:5] + "." + secret
		x.want(userinfo(x.t, x.b, tokens).Status, http.StatusUnauthorized)
	}},
	{"RFC 6749 §6 a client that is not registered any more refreshes nothing", func(x truth) {
		client, tokens := x.lasting()
		sendJSON(
			x.t, x.p, http.MethodDelete, client["registration_client_uri"].(string), nil,
			client["registration_access_token"].(string),
		)
		x.denied("/token", x.refreshed(client, tokens), http.StatusUnauthorized, "invalid_client")
		x.want(userinfo(x.t, x.b, tokens).Status, http.StatusUnauthorized)
	}},
	{"Core §11 what is not asked for is not given: no refresh token without offline_access", func(x truth) {
		_, tokens := x.tokens(x.client(), "prompt", "consent")
		x.want(tokens["refresh_token"], nil)
	}},
	{"Core §11 the user's consent to offline_access MUST be there: consent to less is none", func(x truth) {
		client := x.client()
		x.authorize(client) // allows openid
		_, tokens := x.tokens(client, "scope", "openid offline_access", "prompt", "none")
		x.want(tokens["scope"], "openid")
		x.want(tokens["refresh_token"], nil)
	}},
	{"Core §12.2 a refreshed ID token is for the same client by the same issuer about the same user", func(x truth) {
		client, tokens := x.lasting("subject_type", oidc.SubjectPairwise)
		before, after := claims(x.t, tokens["id_token"]), claims(
			x.t, x.granted(x.b.Post("/token", x.refreshed(client, tokens)))["id_token"],
		)
		for _, name := range []string{"iss", "sub", "aud", "auth_time", "sid"} {
			x.want(after[name], before[name])
		}
	}},
	{"RFC 7009 §2 the revocation of refresh tokens MUST be supported", func(x truth) {
		client, tokens := x.lasting()
		x.want(
			x.b.Post(
				"/revoke", x.with(client, "token", tokens["refresh_token"].(string), "token_type_hint", "refresh_token"),
			).Status,
			http.StatusOK,
		)
		x.denied("/token", x.refreshed(client, tokens), http.StatusBadRequest, "invalid_grant")
		x.want(userinfo(x.t, x.b, tokens).Status, http.StatusUnauthorized)
	}},
	{"RFC 7009 §2.1 the invalidation takes place immediately: introspection says so at once", func(x truth) {
		client, tokens := x.lasting()
		x.want(x.asked(client, tokens["access_token"])["active"], true)
		x.b.Post("/revoke", x.with(client, "token", tokens["access_token"].(string)))
		x.want(x.asked(client, tokens["access_token"])["active"], false)
		x.want(x.asked(client, tokens["refresh_token"])["active"], true)
	}},
	{"RFC 7009 §2.2.1 an error is JSON as of RFC 6749 §5.2", func(x truth) {
		page := x.b.Post("/revoke", x.with(x.client()))
		x.want(page.Status, http.StatusBadRequest)
		x.want(page.JSON(x.t)["error"], "invalid_request")
		x.want(page.Header.Get("Content-Type"), "application/json")
	}},
	{"RFC 7662 §2.2 another client's token is inactive, and its refresh token too", func(x truth) {
		_, tokens := x.lasting()
		other := x.client()
		x.want(len(x.asked(other, tokens["access_token"])), 1)
		x.want(len(x.asked(other, tokens["refresh_token"])), 1)
		x.want(x.asked(other, tokens["access_token"])["active"], false)
	}},
	{"RFC 7662 §2.2 sub is the subject at the token's client, for each client that asks", func(x truth) {
		client, tokens := x.lasting("subject_type", oidc.SubjectPairwise)
		x.want(x.asked(client, tokens["access_token"])["sub"], claims(x.t, tokens["id_token"])["sub"])
		x.want(x.asked(client, tokens["refresh_token"])["sub"], claims(x.t, tokens["id_token"])["sub"])
	}},
	{"RFC 9068 §2.1 RS256 MUST be supported", func(x truth) {
		_, tokens := x.tokens(x.client("id_token_signed_response_alg", "RS256"))
		x.want(header(x.t, tokens["access_token"].(string))["alg"], "RS256")
		x.want(header(x.t, tokens["access_token"].(string))["typ"], "at+jwt")
	}},
	{"RFC 9068 §4 the metadata's issuer MUST exactly match iss, and its keys verify", func(x truth) {
		_, tokens := x.tokens(x.client())
		x.want(claims(x.t, tokens["access_token"])["iss"], x.m.Issuer)
		x.want(
			strings.Contains(x.b.Get(x.m.JWKSURI).Body, header(x.t, tokens["access_token"].(string))["kid"].(string)), true,
		)
	}},
	{"RFC 9068 §5 no client chooses a client_id that could be taken for a user's sub", func(x truth) {
		if id := x.client("client_id", "alice")["client_id"]; id == "alice" {
			x.t.Errorf("it is %v", id)
		}
	}},
	{"RFC 9068 §5 an access token about a client is none about a user", func(x truth) {
		client := x.client("scope", "")
		tokens := x.granted(x.b.Post("/token", x.with(client, "grant_type", oidc.GrantClientCredentials)))
		x.want(claims(x.t, tokens["access_token"])["sub"], client["client_id"])
		x.want(userinfo(x.t, x.b, tokens).Status, http.StatusForbidden)
	}},
	{"RFC 9701 §4 the answer is a JWT where the Accept header asks for one", func(x truth) {
		client := x.client("introspection_signed_response_alg", nil)
		r := get(
			x.t, "POST", x.p.Issuer+"/introspect", x.with(client, "token", "x"), "Accept", "application/token-introspection+jwt",
		)
		w := serve(x.p, r)
		x.want(w.Header().Get("Content-Type"), "application/token-introspection+jwt")
		x.want(header(x.t, w.Body.String())["typ"], "token-introspection+jwt")
		x.want(claims(x.t, w.Body.String())["aud"], client["client_id"])
	}},
	{"RFC 9701 §6 introspection_signed_response_alg is the one that was registered", func(x truth) {
		page := x.b.Post("/introspect", x.with(x.client("introspection_signed_response_alg", "ES256"), "token", "x"))
		x.want(header(x.t, page.Body)["alg"], "ES256")
	}},
	{"Front-Channel Logout §3 a client's address adds nothing to the policy of the page that loads it", func(x truth) {
		client := x.client("frontchannel_logout_uri", "https://late.test/out;script-src%20*,default-src?a=';frame-src")
		x.authorize(client)
		page := x.b.Submit(x.b.Get("/logout"), url.Values{"decision": {"sign_out"}})
		policy := page.Header.Get("Content-Security-Policy")
		x.want(strings.Count(policy, "script-src"), 1)
		x.want(strings.HasSuffix(policy, "; frame-src https: http:"), true)
		x.want(
			strings.Contains(
				page.Body, `<iframe src="https://late.test/out;script-src%20*,default-src?a=&#39;;frame-src&amp;iss=`,
			),
			true,
		)
	}},
}
