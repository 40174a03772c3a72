package fedcm

import (
	"net/http"
	"net/url"

	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// answer is what the browser gives to the script: a code, or an error; or it opens a page first.
type answer struct {
	Token      string   `json:"token,omitempty"`
	ContinueOn string   `json:"continue_on,omitempty"`
	Error      *failure `json:"error,omitempty"`
	// Description is for a developer who reads the answer in the network log; scripts do not get it.
	Description string `json:"error_description,omitempty"`
}

// failure is an error as FedCM writes it. Chromium read the code from code, and reads it from error now.
type failure struct {
	Code  oidc.ErrorCode `json:"code"`
	Error oidc.ErrorCode `json:"error"`
	URL   string         `json:"url,omitempty"`
}

// serveAssertion answers with a code for the account that the user chose.
func (e *Endpoint) serveAssertion(w http.ResponseWriter, r *http.Request) error {
	malformed := oidc.ParseForm(r)
	client, err := e.caller(r)
	if err != nil {
		return err
	}
	allowOrigin(w.Header(), r)
	waiting, err := e.asked(r, client, malformed)
	if err != nil {
		return e.refuseAs(w, r, err)
	}
	code, page, err := e.Judge.Decide(r, waiting, r.Header.Get("Origin"))
	switch {
	case err != nil:
		return e.refuseAs(w, r, err)
	case page != "":
		return oidc.WriteJSON(w, http.StatusOK, answer{ContinueOn: e.Issuer + page})
	}
	return oidc.WriteJSON(w, http.StatusOK, answer{Token: code})
}

// caller verifies that the browser asks for a script of the client's own origin.
func (e *Endpoint) caller(r *http.Request) (*oidc.Client, error) {
	if err := fromFedCM.Judge(r.Context(), r); err != nil {
		return nil, err
	}
	client, err := e.client(r.Context(), r.PostForm.Get("client_id"))
	if err != nil {
		return nil, err
	}
	if err := known.Judge(r.Context(), client); err != nil {
		return nil, err
	}
	return client, callers.Judge(r.Context(), Caller{r.Header.Get("Origin"), client})
}

// allowOrigin lets scripts of the origin, which is verified, read the answer to a request with cookies.
func allowOrigin(h http.Header, r *http.Request) {
	h.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Add("Vary", "Origin")
}

// asked reads the request for a code. From then on its form has the parameters of params, for the trace.
func (e *Endpoint) asked(r *http.Request, client *oidc.Client, malformed error) (session.Interaction, error) {
	form := r.PostForm
	params, fault := e.Judge.ReadParams(form.Get(formParams), client.ClientID)
	err := assertions.Judge(r.Context(), Assertion{
		Malformed: malformed, Account: form.Get(formAccount), Fault: fault, Prompt: params.Get("prompt"),
		Automatic: form.Get(formIsAutomatic) == "true",
	})
	if err != nil {
		return session.Interaction{}, err
	}
	if params.Get("response_type") == "" { // the profile has no other
		params.Set("response_type", "code")
	}
	if params.Get("nonce") == "" && form.Get("nonce") != "" { // where the API had the nonce at first
		params.Set("nonce", form.Get("nonce"))
	}
	r.PostForm = withAll(params, form)
	return session.Interaction{
		Params: params, StartedAt: e.Now(), Sub: form.Get(formAccount), Path: pathContinue,
	}, nil
}

// withAll returns the parameters with those of the form that say how the account was chosen.
func withAll(params, form url.Values) url.Values {
	all := url.Values{formAccount: form[formAccount], formIsAutomatic: form[formIsAutomatic]}
	for name, values := range params {
		all[name] = values
	}
	return all
}

// refuseAs writes an error for the script, with the status of the error.
func (e *Endpoint) refuseAs(w http.ResponseWriter, r *http.Request, err error) error {
	explained := e.Errors.Explain(r.Context(), err)
	return refuse(w, explained.Status(), explained)
}

// refuse writes an error as FedCM has it.
func refuse(w http.ResponseWriter, status int, explained *oidc.Error) error {
	endpoint.Refuse(w, explained)
	return oidc.WriteJSON(w, status, answer{
		Error:       &failure{Code: explained.Code, Error: explained.Code, URL: explained.URI},
		Description: explained.Description,
	})
}

// serveContinue goes on after a page in the pop-up window, and gives the code to the browser, which gives it to the
// script of the verified origin. It closes the window if the user refused.
func (e *Endpoint) serveContinue(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	if err := oidc.ParseForm(r); err != nil {
		return oidc.InvalidRequest.Errorf("the parameters cannot be read: %s", oidc.FormFault(err)).Because(err)
	}
	waiting, err := e.Interactions.Open(r.Form.Get(session.InteractionParam))
	if err != nil {
		return err
	}
	if waiting.Path != pathContinue {
		return oidc.InvalidRequest.Errorf("this page belongs to no sign-in by FedCM: go back to the application and start " +
			"again").Because(session.ErrStale)
	}
	code, page, err := e.Judge.Decide(r, waiting, "")
	switch {
	case err != nil && waiting.Denied == "":
		return err
	case err != nil:
		endpoint.Refuse(w, e.Errors.Explain(r.Context(), err))
	case page != "":
		http.Redirect(w, r, page, http.StatusSeeOther)
		return nil
	}
	return e.end(w, r, code, waiting.Sub)
}

func (e *Endpoint) serveClose(w http.ResponseWriter, r *http.Request) error {
	return e.end(w, r, "", "")
}

// end shows the page that closes the browser's pop-up window, with a code or without one.
func (e *Endpoint) end(w http.ResponseWriter, r *http.Request, code, sub string) error {
	page := pages.FedCM{Frame: e.Pages.Frame(r, e.Issuer), Token: code, Account: sub}
	return e.Pages.Render(w, http.StatusOK, page, pages.Policy{})
}
