package idp

import "time"

// oftenest is how often keys may be replaced by themselves: each stays published until what it signed last has expired.
const oftenest = time.Hour

// checkSchedule: a session's ID tokens come back as hints, so keys stay for as long, and no more than ten should.
func (c Config) checkSchedule(p *Problems) {
	least := max(oftenest, c.Session.Absolute/10)
	p.when(c.RotateEvery < 0 || c.RotateEvery > 0 && c.RotateEvery < least, "rotate_every",
		"%v is less than %v: write a duration such as 720h", c.RotateEvery, least)
	files := 0
	for _, key := range c.SigningKeys {
		if key.File != "" {
			files++
		}
	}
	p.when(c.RotateEvery > 0 && files == len(c.SigningKeys), "rotate_every",
		"is set, but all signing_keys come from files, which only you can replace: leave out the file of one, or rotate_every")
}
