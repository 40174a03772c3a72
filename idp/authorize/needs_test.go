package authorize

import (
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// needRows are requests of which some need a page.
var needRows = []row{
	// needs, in their order, under prompt=none
	{name: "Core §3.1.2.1 prompt=none with a session", change: "prompt=none", signed: "alice"},
	{name: "Core §3.1.2.6 prompt=none without a session", change: "prompt=none", err: oidc.LoginRequired},
	{
		name: "Core §3.1.2.1 id_token_hint of the signed-in user", change: "prompt=none id_token_hint=alice",
		signed: "alice",
	},
	{
		name: "Core §3.1.2.1 id_token_hint of another user", change: "prompt=none id_token_hint=bob", signed: "alice",
		err: oidc.LoginRequired,
	},
	{
		name: "Core §3.1.2.1 an id_token_hint that is none of ours", change: "prompt=none id_token_hint=forged",
		signed: "alice", err: oidc.LoginRequired,
	},
	{
		name:   "Core §3.1.2.1 id_token_hint is stronger than login_hint",
		change: "prompt=none id_token_hint=alice login_hint=bob", signed: "alice",
	},
	{
		name: "Core §3.1.2.1 login_hint of another user", change: "prompt=none login_hint=bob", signed: "alice",
		err: oidc.LoginRequired,
	},
	{
		name:   "Core §3.1.2.1 login_hint that names no user has the answer of one that names another user",
		change: "prompt=none login_hint=buffy@sunnydale.test", signed: "alice", err: oidc.LoginRequired,
	},
	{
		name: "Core §3.1.2.6 prompt=none with several accounts", change: "prompt=none", signed: "alice,bob",
		err: oidc.AccountSelectionRequired,
	},
	{
		name: "Core §3.1.2.1 id_token_hint chooses among several accounts", change: "prompt=none id_token_hint=bob",
		signed: "alice,bob",
	},
	{
		name:   "Core §3.1.2.1 login_hint chooses among several accounts",
		change: "prompt=none login_hint=bob@example.com", signed: "alice,bob",
	},
	{name: "Core §3.1.2.1 max_age exceeded", change: "prompt=none max_age=60", signed: "alice", err: oidc.LoginRequired},
	{
		name: "Core §3.1.2.1 max_age=0 is exceeded at once", change: "prompt=none max_age=0", signed: "alice",
		err: oidc.LoginRequired,
	},
	{name: "Core §3.1.2.1 max_age not exceeded", change: "prompt=none max_age=10000", signed: "alice"},
	{
		name: "Registration §2 default_max_age stands in for max_age", client: "max-age", change: "prompt=none",
		signed: "alice", err: oidc.LoginRequired,
	},
	{
		name: "Registration §2 max_age overrides default_max_age", client: "max-age",
		change: "prompt=none max_age=10000", signed: "alice",
	},
	{
		name: "Core §3.1.2.6 prompt=none without consent", client: "other", change: "prompt=none", signed: "alice",
		err: oidc.ConsentRequired,
	},
	{
		name: "Core §3.1.2.6 prompt=none with consent to less", client: "other",
		change: "prompt=none scope=openid+email", signed: "carol", err: oidc.ConsentRequired,
	},
	{name: "Core §3.1.2.4 prompt=none with consent", client: "other", change: "prompt=none scope=openid", signed: "carol"},

	{
		name:   "Core §5.5.1 the sub that claims wants is signed in",
		change: "prompt=none claims=" + claimOf("sub", `{"value":"alice"}`), signed: "alice",
	},
	{
		name:   "Core §5.5.1 the sub that claims wants is not signed in",
		change: "prompt=none claims=" + claimOf("sub", `{"value":"bob"}`), signed: "alice", err: oidc.LoginRequired,
	},
	{
		name:   "Core §5.5.1 the sub that claims wants chooses among several accounts",
		change: "prompt=none claims=" + claimOf("sub", `{"value":"bob"}`), signed: "alice,bob",
	},
	{
		name:   "Core §5.5.1.1 an essential acr that the sign-in reaches",
		change: "prompt=none claims=" + claimOf("acr", `{"essential":true,"values":["gold","1"]}`), signed: "alice",
	},
	{
		name:   "Core §5.5.1.1 an essential acr that the sign-in does not reach",
		change: "prompt=none claims=" + claimOf("acr", `{"essential":true,"value":"gold"}`), signed: "alice",
		err: oidc.UnmetAuthenticationRequirements,
	},
	{
		name:   "Core §5.5.1.1 an acr that is not essential is a wish",
		change: "prompt=none claims=" + claimOf("acr", `{"value":"gold"}`), signed: "alice",
	},
	{
		name:   "Core §5.5.1.1 an essential acr without a value is any",
		change: "prompt=none claims=" + claimOf("acr", `{"essential":true}`), signed: "alice",
	},
	{name: "Core §3.1.2.1 acr_values is a wish", change: "prompt=none acr_values=gold", signed: "alice"},
	{
		name: "Core §5.5 a claim whose scope the user allowed", client: "other",
		change: "prompt=none scope=openid claims=" + claimOf("profile", "null"), signed: "carol",
		err: oidc.ConsentRequired,
	},
	{
		name: "Core §11 offline_access without consent is ignored, not an error", client: "lasting",
		change: "prompt=none scope=openid+offline_access", signed: "carol",
	},

	// the same needs, where a page is allowed
	{
		name:   "Core §5.5.1.1 an essential acr that another sign-in may reach",
		change: "claims=" + claimOf("acr", `{"essential":true,"value":"gold"}`), signed: "alice",
		screen: session.PathLogin,
	},
	{
		name:   "Core §5.5.1.1 an essential acr that no sign-in reaches",
		change: "claims=" + claimOf("acr", `{"essential":true,"value":"platinum"}`), signed: "alice",
		err: oidc.UnmetAuthenticationRequirements,
	},
	{
		name:   "Core §5.5.1 the sub that claims wants is not signed in: sign in as that one",
		change: "claims=" + claimOf("sub", `{"value":"bob"}`), signed: "alice", screen: session.PathLogin,
	},
	{
		name: "Core §5.5 a claim whose scope the user has not allowed: ask", client: "other",
		change: "scope=openid claims=" + claimOf("email", "null"), signed: "carol", screen: session.PathConsent,
	},
	{
		name: "Core §11 offline_access that the user has not allowed: ask", client: "lasting",
		change: "scope=openid+offline_access", signed: "carol", screen: session.PathConsent,
	},
	{name: "Core §3.1.2.1 prompt=login", change: "prompt=login", signed: "alice", screen: session.PathLogin},
	{
		name: "Core §3.1.2.1 prompt=select_account", change: "prompt=select_account", signed: "alice",
		screen: session.PathSelectAccount,
	},
	{
		name: "Core §3.1.2.1 prompt=select_account without a session", change: "prompt=select_account",
		screen: session.PathLogin,
	},
	{
		name: "Core §3.1.2.1 prompt=login select_account asks whom first", change: "prompt=login+select_account",
		signed: "alice", screen: session.PathSelectAccount,
	},
	{
		name: "Core §3.1.2.1 prompt=consent, of a first-party client too", change: "prompt=consent", signed: "alice",
		screen: session.PathConsent,
	},
	{
		name: "Core §3.1.2.1 prompt=consent, although consent is remembered", client: "other",
		change: "prompt=consent scope=openid", signed: "carol", screen: session.PathConsent,
	},
	{
		name: "Core §3.1.2.1 prompt=login consent signs in first", change: "prompt=login+consent", signed: "alice",
		screen: session.PathLogin,
	},
	{
		name: "Core §3.1.2.1 max_age exceeded: sign in again", change: "max_age=60", signed: "alice",
		screen: session.PathLogin,
	},
	{
		name: "Core §3.1.2.1 id_token_hint of another user: sign in as that one", change: "id_token_hint=bob",
		signed: "alice", screen: session.PathLogin,
	},
	{
		name: "Core §3.1.2.1 an id_token_hint that is none of ours: sign in", change: "id_token_hint=forged",
		signed: "alice", screen: session.PathLogin,
	},
	{
		name:   "Core §3.1.2.1 login_hint that names no user: sign in",
		change: "login_hint=buffy@sunnydale.test", signed: "alice", screen: session.PathLogin,
	},
	{
		name: "Core §3.1.2.1 login_hint of another user: sign in as that one", change: "login_hint=bob",
		signed: "alice", screen: session.PathLogin,
	},
	{name: "Core §3.1.2.4 consent missing: ask", client: "other", signed: "alice", screen: session.PathConsent},
	{name: "several accounts: ask which", signed: "alice,bob", screen: session.PathSelectAccount},
}
