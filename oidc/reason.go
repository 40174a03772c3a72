package oidc

// Reason is a stable code for the cause of a failure. Several reasons share one OAuth error code. The codes are this
// provider's own; docs/reasons.md has a paragraph on each.
type Reason string

// Reasons about the session or its cookie.
const (
	SessionNone             Reason = "session.none"              // no cookie came, and the browser could have sent one
	SessionExpired          Reason = "session.expired"           // reached its absolute lifetime
	SessionIdle             Reason = "session.idle"              // was not used for a long time
	SessionSignedOut        Reason = "session.signed_out"        // was ended
	SessionUnknown          Reason = "session.unknown"           // the cookie names no session: a restart, an old cookie
	SessionSuperseded       Reason = "session.superseded"        // an older cookie of a session with a newer sign-in
	SessionCookieUnreadable Reason = "session.cookie_unreadable" // changed, or made with another key
	CookieWithheldOrAbsent  Reason = "cookie.withheld_or_absent" // no cookie came in a cross-site iframe
	CookieAccessDenied      Reason = "cookie.access_denied"      // a hidden iframe asked for the cookie in vain
	CookieAccessUnsupported Reason = "cookie.access_unsupported" // a hidden iframe could not ask for it
	CookieSameSite          Reason = "cookie.samesite"           // the browser has the cookie only as SameSite=Lax
	SessionTooOld           Reason = "session.too_old"           // max_age, prompt=login
	SessionOtherUser        Reason = "session.other_user"        // a hint names somebody else
	HintUnreadable          Reason = "hint.unreadable"           // the id_token_hint is no ID token of this provider
	ConsentMissing          Reason = "consent.missing"           // not allowed yet, or withdrawn
	AccountAmbiguous        Reason = "account.ambiguous"         // several accounts and no hint
	ACRUnmet                Reason = "acr.unmet"                 // no sign-in can reach an essential acr
)

// Reasons about a request.
const (
	ClientUnknown        Reason = "client.unknown"
	ClientAuthentication Reason = "client.authentication" // wrong secret, wrong method, none
	RedirectUnregistered Reason = "redirect.unregistered"
	RequestMalformed     Reason = "request.malformed"    // breaks a rule of the authorization endpoint
	ScopeRefused         Reason = "scope.refused"        // a scope value that the provider or the client does not have
	GrantTypeRefused     Reason = "grant_type.refused"   // a grant_type that the provider or the client does not have
	RegistrationRefused  Reason = "registration.refused" // a client's own metadata breaks a rule
	RequestNarrowed      Reason = "request.narrowed"     // a scope value was left out, or a parameter was ignored
	PKCEMissing          Reason = "pkce.missing"
	PKCEMismatch         Reason = "pkce.mismatch"
	CodeUnknown          Reason = "code.unknown"
	CodeReplayed         Reason = "code.replayed"
	CodeExpired          Reason = "code.expired"
	CodeForeign          Reason = "code.foreign"     // another client's, or another redirect_uri
	UserRemoved          Reason = "user.removed"     // the user is no longer in the configuration
	RefreshRefused       Reason = "refresh.refused"  // unknown, expired, revoked, another client's, another key's
	RefreshReplayed      Reason = "refresh.replayed" // replaced before: all is revoked
	TokenInvalid         Reason = "token.invalid"    // at userinfo: expired, revoked, of another provider
	DPoPProof            Reason = "dpop.proof"       // missing, wrong, without the nonce, or of another key
	OriginNotAllowed     Reason = "origin.not_allowed"
	FedCMNotBrowser      Reason = "fedcm.not_browser" // without Sec-Fetch-Dest: webidentity
	CORSMethod           Reason = "cors.method"       // a preflight asks for a method that the address does not have
	CORSHeader           Reason = "cors.header"       // a preflight asks for headers whose names are not allowed
	RequestTooMany       Reason = "request.too_many"  // a limit of the installation: per address, client or user
	ServerFailed         Reason = "server.failed"
	StoreUnavailable     Reason = "store.unavailable" // the database of the store does not answer
)

// Reasons that are visible only in several requests together.
const (
	TokenShortLived Reason = "token.short_lived" // too short for the time by which clients renew early
	RenewalLooping  Reason = "renewal.looping"   // one client renews at once, again and again
	CallbackNested  Reason = "callback.nested"   // the whole app started in the iframe
	CallbackSilent  Reason = "callback.silent"   // a code was sent and never redeemed
	PageInIframe    Reason = "page.in_iframe"    // prompt=none ended on a page
	ClockSkew       Reason = "clock.skew"        // provider and client do not agree on the time
	ClaimsUnasked   Reason = "claims.unasked"    // the app may show no name: its claims are at userinfo only
	FaultInjected   Reason = "fault.injected"    // by the failure lab, without a reason of its own
)
