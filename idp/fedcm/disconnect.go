package fedcm

import (
	"net/http"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// formHint names the account that an app disconnects from: the sub that the app knows, the username or the email.
const formHint = "account_hint"

// Disconnect is a request of an app to end what a user granted it.
type Disconnect struct {
	Malformed error  // the error of reading the form
	Absence   string // why nobody is signed in; "" if somebody is
	Hint      string
	Sub       string // the account of the hint; "": none of the browser's accounts
}

var disconnects = oidc.Table[Disconnect]{{
	Spec: "FedCM, Disconnect endpoint", Text: "the body is a form",
	Holds: func(d Disconnect) bool { return d.Malformed == nil },
	Got:   func(d Disconnect) string { return oidc.FormFault(d.Malformed) },
}, {
	Spec: "FedCM, Disconnect endpoint", Text: "an account is signed in with this browser", Else: oidc.LoginRequired,
	Holds: func(d Disconnect) bool { return d.Absence == "" },
	Got:   func(d Disconnect) string { return "none: " + d.Absence },
}, {
	Spec: "FedCM, Disconnect endpoint", Text: "account_hint names an account that is signed in with this browser",
	Params: []string{formHint}, Else: oidc.LoginRequired, Reason: oidc.SessionOtherUser,
	Holds: func(d Disconnect) bool { return d.Sub != "" },
	Got:   func(d Disconnect) string { return quote(d.Hint) },
	Help:  "send the sub of the ID token as accountHint",
}}

// serveDisconnect takes back what the user granted the client: consent, refresh tokens and access tokens. The answer
// has the id of the account, so that the browser forgets the sign-in too. The user stays signed in at the provider.
func (e *Endpoint) serveDisconnect(w http.ResponseWriter, r *http.Request) error {
	malformed := oidc.ParseForm(r)
	client, err := e.caller(r)
	if err != nil {
		return err
	}
	allowOrigin(w.Header(), r)
	sub, err := e.disconnect(r, client, malformed)
	if err != nil {
		return e.refuseAs(w, r, err)
	}
	return oidc.WriteJSON(w, http.StatusOK, map[string]string{formAccount: sub})
}

func (e *Endpoint) disconnect(r *http.Request, client *oidc.Client, malformed error) (sub string, err error) {
	ctx, asked := r.Context(), Disconnect{Malformed: malformed, Hint: r.PostForm.Get(formHint)}
	current, absence, err := e.current(r)
	if err != nil {
		return "", err
	}
	asked.Absence = string(absence)
	if asked.Sub, err = e.hinted(current, client, asked.Hint); err != nil {
		return "", err
	}
	if err := disconnects.Judge(ctx, asked); err != nil {
		if absence != "" {
			return "", oidc.AsError(err).Blame(absence.Reason())
		}
		return "", err
	}
	if err := e.Browsers.ForgetClient(ctx, current, asked.Sub, client.ClientID); err != nil {
		return "", err
	}
	return asked.Sub, e.Consents.Forget(ctx, asked.Sub, client.ClientID)
}

// hinted returns the sub of the signed-in account that the hint names, or "".
func (e *Endpoint) hinted(current *session.Session, client *oidc.Client, hint string) (string, error) {
	for _, sub := range current.Subs() {
		shown, err := e.Subjects.Of(client, sub)
		if err != nil {
			return "", err
		}
		if shown == hint {
			return sub, nil
		}
	}
	user, _ := e.Users.ByName(hint)
	if _, ok := current.Account(user.Sub); !ok {
		return "", nil
	}
	return user.Sub, nil
}
