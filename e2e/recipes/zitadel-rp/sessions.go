package main

import (
	"crypto/rand"
	"net/http"
	"sync"
)

// session is the app's data of one browser.
type session struct {
	Name   string
	Tokens *tokens
}

// sessions stores each session in memory, by the value of its cookie.
type sessions struct{ byID sync.Map }

func (s *sessions) begin(w http.ResponseWriter, new session) {
	id := rand.Text()
	s.byID.Store(id, new)
	http.SetCookie(w, &http.Cookie{Name: "session", Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// find returns the session of a request, or the zero session if there is none.
func (s *sessions) find(r *http.Request) session {
	cookie, err := r.Cookie("session")
	if err != nil {
		return session{}
	}
	found, _ := s.byID.Load(cookie.Value)
	old, _ := found.(session)
	return old
}

// end forgets the session of a request, and returns it.
func (s *sessions) end(r *http.Request) session {
	old := s.find(r)
	if cookie, err := r.Cookie("session"); err == nil {
		s.byID.Delete(cookie.Value)
	}
	return old
}
