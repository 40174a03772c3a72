package oidc

// Reason is a stable code for why something failed, or will: finer than an OAuth error code, which many causes share.
// The codes are this provider's own; docs/reasons.md has a paragraph on each.
type Reason string

// What can be wrong with the session, or with the cookie that should have opened it.
const (
	SessionNone             Reason = "session.none"              // no cookie came, where a browser would have sent it
	SessionExpired          Reason = "session.expired"           // reached its absolute lifetime
	SessionIdle             Reason = "session.idle"              // was not used for too long
	SessionSignedOut        Reason = "session.signed_out"        // was ended
	SessionUnknown          Reason = "session.unknown"           // the cookie names no session: a restart, or long gone
	SessionSuperseded       Reason = "session.superseded"        // an older cookie of a session that was signed in to anew
	SessionCookieUnreadable Reason = "session.cookie_unreadable" // changed, or made with another key
	CookieWithheldOrAbsent  Reason = "cookie.withheld_or_absent" // no cookie came in a cross-site iframe
	CookieSameSite          Reason = "cookie.samesite"           // the browser has the cookie only as SameSite=Lax
	SessionTooOld           Reason = "session.too_old"           // max_age, prompt=login
	SessionOtherUser        Reason = "session.other_user"        // a hint names somebody else
	HintUnreadable          Reason = "hint.unreadable"           // the id_token_hint is no ID token of this provider
	ConsentMissing          Reason = "consent.missing"           // not allowed yet, or withdrawn
	AccountAmbiguous        Reason = "account.ambiguous"         // several accounts and no hint
	ACRUnmet                Reason = "acr.unmet"                 // an essential acr that no sign-in here reaches
)

// What can be wrong with a request.
const (
	ClientUnknown        Reason = "client.unknown"
	ClientAuthentication Reason = "client.authentication" // wrong secret, wrong method, none
	RedirectUnregistered Reason = "redirect.unregistered"
	RequestMalformed     Reason = "request.malformed" // breaks a rule of the authorization endpoint
	PKCEMissing          Reason = "pkce.missing"
	PKCEMismatch         Reason = "pkce.mismatch"
	CodeUnknown          Reason = "code.unknown"
	CodeReplayed         Reason = "code.replayed"
	CodeExpired          Reason = "code.expired"
	CodeForeign          Reason = "code.foreign"     // another client's, or another redirect_uri
	RefreshRefused       Reason = "refresh.refused"  // unknown, expired, revoked, another client's, another key's
	RefreshReplayed      Reason = "refresh.replayed" // replaced before: all is revoked
	TokenInvalid         Reason = "token.invalid"    // at userinfo: expired, revoked, not ours
	DPoPProof            Reason = "dpop.proof"       // missing, wrong, without the nonce, or of another key
	OriginNotAllowed     Reason = "origin.not_allowed"
	RequestTooMany       Reason = "request.too_many" // a limit of the installation: per address, client or user
	ServerFailed         Reason = "server.failed"
	StoreUnavailable     Reason = "store.unavailable" // the engine behind the provider does not answer
)

// Problems that show in several requests only.
const (
	TokenShortLived Reason = "token.short_lived" // 60 s or less: the client will loop
	RenewalLooping  Reason = "renewal.looping"   // a burst from one client
	CallbackNested  Reason = "callback.nested"   // the whole app booted in the iframe
	CallbackSilent  Reason = "callback.silent"   // a code was sent and never redeemed
	PageInIframe    Reason = "page.in_iframe"    // prompt=none ended on a page
	ClockSkew       Reason = "clock.skew"        // provider and client do not agree on the time
	FaultInjected   Reason = "fault.injected"    // the failure lab did it, and it has no better name
)
