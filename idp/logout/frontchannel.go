package logout

import (
	"cmp"
	"context"
	"net/url"
	"strings"

	"github.com/hush-idp/hush/idp/session"
)

// frames are the addresses that the page after a sign-out loads, so that the clients of the accounts sign out their part: each
// registered frontchannel_logout_uri, with iss and sid. Front-Channel Logout §3: "The OP […] renders <iframe src=
// "frontchannel_logout_uri"> in a page with the registered logout URI as the source to trigger the logout actions by the RP." A
// client that is not there any more, or cannot be looked up now, has none.
// https://openid.net/specs/openid-connect-frontchannel-1_0.html#OPLogout
func (e *Endpoint) frames(ctx context.Context, gone []session.Ended) []string {
	var frames []string
	for _, ended := range gone {
		for _, id := range ended.Clients {
			if client, err := e.Clients.ByID(ctx, id); err == nil && client.FrontchannelLogoutURI != "" {
				frames = append(frames, withSession(client.FrontchannelLogoutURI, cmp.Or(ended.Issuer, e.Issuer), ended.SID))
			}
		}
	}
	return frames
}

// withSession adds iss and sid. §2: a registered query "MUST be retained when adding additional query parameters"; §3: "if either
// is included, both MUST be".
func withSession(uri, issuer, sid string) string {
	separator := "?"
	if strings.Contains(uri, "?") {
		separator = "&"
	}
	return uri + separator + url.Values{"iss": {issuer}, "sid": {sid}}.Encode()
}
