package check

import (
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

var logoutChecks = []Check{
	{"logout.address", "The sign-out", "The address after the sign-out is registered",
		"RP-Initiated Logout §3", SignOut, aboutApp, (*view).logoutAddress},
	{"logout.hint", "The sign-out", "The sign-out names the user by id_token_hint",
		"RP-Initiated Logout §2", SignOut, aboutApp, (*view).logoutHint},
}

// logout is the newest request of the app to end the session.
func (v *view) logout() *event {
	return v.newest(func(r *trace.Record) bool {
		e := &event{record: r}
		return r.Endpoint == "logout" &&
			(e.param("post_logout_redirect_uri") != "" || e.param("id_token_hint") != "" || e.param("client_id") != "")
	})
}

func (v *view) logoutAddress() verdict {
	e := v.logout()
	if e == nil {
		return notSeen("")
	}
	switch uri := e.param("post_logout_redirect_uri"); {
	case uri == "":
		return cannotSee("the sign-out has no post_logout_redirect_uri, so the user stays at the provider")
	case oidc.MatchRedirectURI(v.Client.PostLogoutRedirectURIs, uri):
		return holds(e, "%s", uri)
	default:
		return unregistered(e, uri, v.Client.PostLogoutRedirectURIs)
	}
}

func (v *view) logoutHint() verdict {
	e := v.logout()
	switch {
	case e == nil:
		return notSeen("")
	case e.param("id_token_hint") == "":
		return fails(e, "the sign-out has no id_token_hint, so the provider asks the user")
	case e.record.Reason == string(oidc.HintUnreadable):
		return fails(e, "the id_token_hint cannot be read").because(oidc.HintUnreadable)
	}
	return holds(e, "id_token_hint came")
}
