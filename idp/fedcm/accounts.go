package fedcm

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// account is an entry of the browser's dialog. Only the browser reads it.
type account struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Email     string `json:"email"` // the browser demands one, and shows it; the username if the user has none
	GivenName string `json:"given_name,omitempty"`
	Picture   string `json:"picture,omitempty"`
	// ApprovedClients are the clients that the user knows: for these the dialog does not show their policies.
	ApprovedClients []string `json:"approved_clients"`
	LoginHints      []string `json:"login_hints"`            // an app's loginHint chooses by these
	DomainHints     []string `json:"domain_hints,omitempty"` // and its domainHint by these
}

// serveAccounts lists the accounts of the browser's session. Without a session every request gets the same 401.
func (e *Endpoint) serveAccounts(w http.ResponseWriter, r *http.Request) error {
	if err := fromFedCM.Judge(r.Context(), r); err != nil {
		return err
	}
	current, absence, err := e.current(r)
	if err != nil {
		return err
	}
	if err := signedIn.Judge(r.Context(), absence); err != nil {
		refused := oidc.AsError(err).Blame(absence.Reason())
		session.SetChallenge(w, e.Issuer)
		return refuse(w, http.StatusUnauthorized, e.Errors.Explain(r.Context(), refused))
	}
	list := []account{}
	for _, user := range e.Users.BySubs(current.Subs()) {
		entry, err := e.entry(r.Context(), user, current)
		if err != nil {
			return err
		}
		list = append(list, entry)
	}
	return oidc.WriteJSON(w, http.StatusOK, map[string][]account{"accounts": list})
}

// current returns the session, or the reason why there is none. Its error is from the store.
func (e *Endpoint) current(r *http.Request) (*session.Session, session.Absence, error) {
	current, err := e.Sessions.Current(r)
	if absence, absent := errors.AsType[session.Absence](err); absent {
		return nil, absence, nil
	}
	return current, "", err
}

func (e *Endpoint) entry(ctx context.Context, user users.User, s *session.Session) (a account, err error) {
	given, _ := user.Claims["given_name"].(string)
	picture, _ := user.Claims["picture"].(string)
	a = account{
		ID: user.Sub, Name: user.Name(), Email: cmp.Or(user.Email(), user.Username), GivenName: given, Picture: picture,
		LoginHints: []string{user.Username},
	}
	if name, domain, ok := strings.Cut(user.Email(), "@"); ok && name != "" {
		a.LoginHints, a.DomainHints = append(a.LoginHints, user.Email()), []string{domain}
	}
	a.ApprovedClients, err = e.approved(ctx, user.Sub, s)
	return a, err
}

// approved lists the clients that the user has allowed, and the first-party clients that the account is signed in to.
func (e *Endpoint) approved(ctx context.Context, sub string, s *session.Session) ([]string, error) {
	consents, err := e.Consents.Of(ctx, sub)
	if err != nil {
		return nil, err
	}
	approved := []string{}
	for id := range consents {
		approved = append(approved, id)
	}
	account, _ := s.Account(sub)
	for _, id := range account.Clients {
		client, err := e.client(ctx, id)
		if err != nil {
			return nil, err
		}
		if client.FirstParty {
			approved = append(approved, id)
		}
	}
	slices.Sort(approved)
	return slices.Compact(approved), nil
}

// client returns the client, or an empty one if it is not registered.
func (e *Endpoint) client(ctx context.Context, id string) (*oidc.Client, error) {
	client, err := e.Clients.ByID(ctx, id)
	if errors.Is(err, clients.ErrUnknown) {
		return client, nil
	}
	return client, err
}

// serveLogin shows the sign-in page in the browser's pop-up window. Chromium adds the app's loginHint as login_hint.
func (e *Endpoint) serveLogin(w http.ResponseWriter, r *http.Request) error {
	_ = oidc.ParseForm(r) // the rest of a query that cannot be read is not needed
	hint := url.Values{"login_hint": {r.Form.Get("login_hint")}}
	waiting := session.Interaction{Params: hint, StartedAt: e.Now(), Path: pathClose}
	target, err := e.Interactions.URL(session.PathLogin, waiting)
	if err != nil {
		return err
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}
