package console

import (
	"net/http"

	"github.com/hush-idp/hush/idp/pages"
)

// callback is GET /console/callback, a redirect URI for requests of the tab Try it. A client must register it, as every
// other redirect URI. The page tells its own address to the console that opened it or has it in a frame. The browser
// drops the message for another origin. An answer by form_post cannot come here: no form without the CSRF token can.
func (e *Endpoint) callback(w http.ResponseWriter, r *http.Request) (any, error) {
	frame := e.Pages.Frame(r, e.Issuer)
	frame.Title, frame.Language, frame.CSRF = "The answer has come", "", ""
	return nil, e.Pages.Render(w, http.StatusOK, pages.ConsoleCallback{Frame: frame}, pages.Policy{FramedBy: e.Issuer})
}
