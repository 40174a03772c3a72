package rp

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/hush-idp/hush/storage"
)

// The provider signs users out by sub or by sid, and sessions are kept by an id of ours. So a sign-out leaves a mark, which each session
// is held against when it is looked up. A mark outlives all sessions that it can concern, it needs no list of them, and
// it also ends a session that is just being made.

func (p *RP) sidMark(sid string) string { return p.ours("sid", sid) }
func (p *RP) subMark(sub string) string { return p.ours("sub", sub) }

// ours keeps what one provider says to one client apart from what others say, who may share the Store: a sid, a sub and a jti are
// unique within an issuer only.
func (p *RP) ours(kind, value string) string {
	return strings.Join([]string{kind, p.config.Issuer, p.config.ClientID, value}, "\x00")
}

// signOut is such a mark.
type signOut struct {
	Iat time.Time `json:"iat"` // of the logout token, by the provider's clock and in whole seconds; zero when there was none
	At  time.Time `json:"at"`  // when it came, by ours
}

// ends tells whether s is older than the mark. An ID Token from before the sign-out is too old even when it is redeemed after it; within
// the same second our own clock decides, so that who signs in again at once stays so.
func (o signOut) ends(s *Session) bool {
	return s.IssuedAt.Before(o.Iat) || !s.Began.After(o.At)
}

// markSignedOut ends the sessions under key that there are; iat may be zero. What an earlier mark ends stays ended.
func (p *RP) markSignedOut(ctx context.Context, key string, iat time.Time) error {
	return p.signedOut.Update(ctx, key, sessionLifetime, func(old *signOut) (*signOut, error) {
		mark := signOut{Iat: iat, At: p.config.Now()}
		if old != nil && old.Iat.After(iat) {
			mark.Iat = old.Iat
		}
		return &mark, nil
	})
}

// checkSignedOut returns ErrNoSession, and removes the session, when the provider has signed it out.
func (p *RP) checkSignedOut(ctx context.Context, id string, s *Session) error {
	keys := []string{p.subMark(s.Sub)}
	if s.Sid != "" {
		keys = append(keys, p.sidMark(s.Sid))
	}
	for _, key := range keys {
		mark, err := p.signedOut.Get(ctx, key)
		switch {
		case errors.Is(err, storage.ErrNotFound):
			continue
		case err != nil:
			return err
		case mark.ends(s):
			_ = p.sessions.Delete(ctx, id) // the mark decides, and stays
			return ErrNoSession
		}
	}
	return nil
}
