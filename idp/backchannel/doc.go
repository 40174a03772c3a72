// Package backchannel is the room from which clients hear that somebody signed out: Back-Channel Logout 1.0.
// https://openid.net/specs/openid-connect-backchannel-1_0.html
//
//	session ended ─► Tell ─┬─► client with a backchannel_logout_uri ─► Token, signed ─► POST ─► 200: told
//	                       │                                             ▲                └► else: wait 1 s, 5 s, 30 s
//	                       └─► next client …                             └────────────────────────┘
//
//	token.go   Token: what a client is sent
//	sender.go  Sender: Tell, Round.Wait, Close
//	lane.go    how many are told at a time, and each client's share of that
//
// Clients are told side by side and in the background; who waits, in front of the page after a sign-out, waits for the first try
// only, and not for long. Each try has a token of its own: a client that heard the first, but whose answer was lost, would
// take a second one with the same jti for a replay.
//
// Where teaching ends: what waits for another try waits in memory. Close, when the process ends, tries once more and reports what
// is left; a process that is killed loses it. So the client's own sessions should end by themselves some time, as they have to for
// clients that cannot be reached at all. A session that expires tells nobody: nothing happens at that moment.
package backchannel
