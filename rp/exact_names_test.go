package rp

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/oidc"
)

// Names of JSON members are case-sensitive (RFC 8259 §8.3, RFC 7519 §7.3). Package encoding/json takes SUB and ſub
// (U+017F) for sub, and the last of several members counts.

// answers replaces the answer of the provider at path.
func (p *fakeProvider) answers(path, contentType, body string) {
	next := p.Config.Handler
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write([]byte(body))
	})
}

// adding signs claims with more members at the end of the object, where they would win.
func adding(t *testing.T, members string) func(claims []byte) string {
	return func(claims []byte) string {
		payload := strings.TrimSuffix(string(claims), "}") + "," + members + "}"
		return signJWT(t, jose.ES256, testECKey, object{"kid": "ec-1"}, []byte(payload))
	}
}

func TestUserInfoAboutAnotherUserInOtherLetters(t *testing.T) {
	for _, row := range []struct {
		name, body string
		code       oidc.ErrorCode
	}{
		{"Core §5.3.2 ſub is not sub", `{"name":"M","sub":"mallory","ſub":"alice"}`, SubMismatch},
		{"Core §5.3.2 SUB is not sub", `{"sub":"mallory","SUB":"alice"}`, SubMismatch},
		{"Core §5.3.2 SUB alone is no sub", `{"SUB":"alice"}`, oidc.ServerError},
		{"RFC 7519 §4 names are unique", `{"sub":"mallory","sub":"alice"}`, oidc.ServerError},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t)
			a.signIn()
			a.provider.answers("/userinfo", "application/json", row.body)
			if claims, err := a.UserInfo(a.request()); err == nil || asError(err).Code != row.code {
				t.Errorf("%s %v, expected %s", claims, err, row.code)
			}
		})
		t.Run(row.name+", signed", func(t *testing.T) {
			a := newApp(t, func(c *Config) { c.UserinfoSignedResponseAlg = "ES256" })
			a.signIn()
			body := strings.TrimSuffix(row.body, "}") + `,"iss":"` + a.provider.URL + `","aud":"web"}`
			a.provider.answers("/userinfo", "application/jwt",
				signJWT(t, jose.ES256, testECKey, object{"kid": "ec-1"}, []byte(body)))
			if claims, err := a.UserInfo(a.request()); err == nil || asError(err).Code != row.code {
				t.Errorf("%s %v, expected %s", claims, err, row.code)
			}
		})
	}
}

func TestIDTokenClaimsInOtherLetters(t *testing.T) {
	a := newApp(t)
	a.provider.misbehave(distortions{signIDToken: adding(t,
		`"SUB":"bob","ſub":"bob","ISS":"x","AUD":"x","EXP":1,"NONCE":"x","AZP":"x","SID":"x","ACR":"x","AUTH_TIME":1`)})
	s := a.signIn()
	if s.Sub != "alice" || s.Sid != "" || s.AuthTime.Unix() != now-5 ||
		!strings.Contains(string(s.Claims), `"ſub":"bob"`) {
		t.Errorf("RFC 7519 §4: claims that are not understood are ignored, and kept in Claims: %+v", s)
	}
	for name, bad := range map[string]distortions{
		"Core §2 SUB alone is no sub":  {idToken: without("sub"), signIDToken: adding(t, `"SUB":"alice"`)},
		"RFC 7519 §4 names are unique": {signIDToken: adding(t, `"sub":"bob"`)},
	} {
		t.Run(name, func(t *testing.T) {
			a := newApp(t)
			a.provider.misbehave(bad)
			a.refused(a.failure(a.callback(a.provider.answer(a.begin("/web/login")))), InvalidIDToken, "ID Token")
		})
	}
}

func TestLogoutTokenClaimsInOtherLetters(t *testing.T) {
	for _, row := range []struct {
		name    string
		change  func(object)
		members string
		status  int
		ends    bool
	}{
		{"Back-Channel Logout §2.6 claims that are not understood are ignored", nil, `"SID":"s2","SUB":"bob"`, 200, true},
		{"Back-Channel Logout §2.6 EVENTS is not events", without("events"), `"EVENTS":{"` + logoutEvent + `":{}}`, 400,
			false},
		{"Back-Channel Logout §2.4 SID alone is no sid", func(o object) { delete(o, "sid"); delete(o, "sub") }, `"SID":"s1"`,
			400, false},
		{"RFC 7519 §4 names are unique", nil, `"sid":"s1"`, 400, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t)
			a.signInAs("s1")
			response, e := a.backChannel(adding(t, row.members)(encoded(t, a.logoutClaims(row.change))))
			if response.StatusCode != row.status || a.isSignedOut() != row.ends {
				t.Errorf("%s %v, the session ended: %v", response.Status, e, a.isSignedOut())
			}
		})
	}
}

func TestAccessTokenClaimsInOtherLetters(t *testing.T) {
	for _, row := range []struct {
		name, remove, members string
		status                int
	}{
		{"RFC 7519 §4 claims that are not understood are ignored", "", `"SUB":"bob","ISS":"x","ſcope":"x"`, 200},
		{"RFC 9068 §2.2 SUB alone is no sub", "sub", `"SUB":"bob"`, 401},
		{"RFC 6749 §3.3 SCOPE is not scope", "scope", `"SCOPE":"api.read"`, 403},
		{"RFC 7800 §3.1 CNF is not cnf", "", `"CNF":{"jkt":"x"}`, 200},
		{"RFC 7519 §4 names are unique", "", `"sub":"bob"`, 401},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newAPI(t)
			payload := encoded(t, a.provider.accessClaims(without(row.remove)))
			token := signJWT(t, jose.ES256, testECKey, object{"typ": "at+jwt", "kid": "ec-1"},
				[]byte(strings.TrimSuffix(string(payload), "}")+","+row.members+"}"))
			w := a.call("/", "Bearer "+token)
			if w.Code != row.status || (w.Code == http.StatusOK && w.Body.String() != "alice by web") {
				t.Errorf("%d %s, expected %d", w.Code, w.Body, row.status)
			}
		})
	}
}

func TestTokenAnswersInOtherLetters(t *testing.T) {
	a := newApp(t)
	a.provider.misbehave(distortions{token: func(o object) {
		o["acceſſ_token"], o["to\u212aen_type"], o["refreſh_token"] = "other", "other", "other"
	}})
	if s := a.signIn(); s.AccessToken == "other" || s.RefreshToken != "" {
		t.Errorf("RFC 6749 §5.1 unknown members are ignored: %+v", s)
	}
	a.provider.misbehave(distortions{token: func(o object) {
		o["ACCESS_TOKEN"] = o["access_token"]
		delete(o, "access_token")
	}})
	e := a.failure(a.callback(a.provider.answer(a.begin("/web/login"))))
	if e.Code != oidc.ServerError || !strings.Contains(e.Description, "no access_token") {
		t.Errorf("RFC 6749 §5.1 access_token is present: %v", e)
	}
}

func TestMetadataInOtherLetters(t *testing.T) {
	a := newApp(t)
	a.provider.misbehave(distortions{metadata: func(o object) {
		o["jwkſ_uri"], o["to\u212aen_endpoint"], o["uſerinfo_endpoint"] = "http://evil.test/", "http://evil.test/", "x"
	}})
	if s := a.signIn(); s.Sub != "alice" {
		t.Errorf("Discovery §3 unknown members are ignored: %+v", s)
	}
	a = newApp(t)
	a.provider.misbehave(distortions{metadata: func(o object) {
		o["ISSUER"] = o["issuer"]
		delete(o, "issuer")
	}})
	if e := a.failure(a.begin("/web/login")); e.Code != IssuerMismatch {
		t.Errorf("Discovery §4.3 ISSUER is not issuer: %v", e)
	}
	a = newApp(t, pushes)
	a.provider.answers("/par", "application/json", `{"request_uri":"urn:good","REQUEST_URI":"urn:evil"}`)
	if u, err := url.Parse(a.begin("/web/login")); err != nil || u.Query().Get("request_uri") != "urn:good" {
		t.Errorf("RFC 9126 §2.2 REQUEST_URI is not request_uri: %v", u)
	}
}
