package users

import "testing"

// TestAnUnknownUserCostsTheSameWork counts comparisons, since time itself proves nothing in a test.
func TestAnUnknownUserCostsTheSameWork(t *testing.T) {
	const hash = "$2a$04$IqtYIirOf20f7bolEBP1OeGxqEuRYN5VNC.iA4fHjX2P7a9NsVyzm" // of secret
	directory, err := New([]User{
		{Username: "alice", Password: "plain"}, {Username: "bob", PasswordHash: hash}, {Username: "carol", Password: "plain"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !directory.nobody("secret") {
		t.Error("an unknown user's password is not compared with a hash, although there is one")
	}
	compared := 0
	directory.nobody = func(string) bool { compared++; return true }
	if user, ok := directory.Authenticate("mallory", "secret"); ok {
		t.Errorf("an unknown user signed in as %+v", user)
	}
	if compared != 1 {
		t.Errorf("for an unknown user %d comparisons were made; want 1", compared)
	}
	if directory.Authenticate("alice", "wrong"); compared != 1 {
		t.Error("for a known user the unknown one's comparison was made as well")
	}
}
