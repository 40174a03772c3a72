package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"

	"github.com/hush-idp/hush/idp/dev/console"
)

// ready says to programs where the provider is: one line of JSON.
func (s *settings) ready() []byte {
	_, port, _ := net.SplitHostPort(s.Listen) // problems has checked it
	number, _ := strconv.Atoi(port)
	text := struct {
		Issuer  string `json:"issuer"`
		Port    int    `json:"port"`
		Console string `json:"console,omitempty"` // in development mode
		PID     int    `json:"pid"`
	}{Issuer: s.Issuer, Port: number, PID: os.Getpid()}
	if s.Development() {
		text.Console = s.Issuer + console.Path
	}
	line, _ := json.Marshal(text) // text and numbers have a JSON form
	return append(line, '\n')
}

// writeReadyFile writes the ready file, so that a reader sees all of it or nothing. remove removes it.
func (s *settings) writeReadyFile() (remove func(), err error) {
	if s.ReadyFile == "" {
		return func() {}, nil
	}
	unfinished := s.ReadyFile + "." + strconv.Itoa(os.Getpid())
	if err = os.WriteFile(unfinished, s.ready(), 0o644); err == nil {
		err = os.Rename(unfinished, s.ReadyFile)
	}
	if err != nil {
		return nil, s.unwritable(err)
	}
	return func() { _ = os.Remove(s.ReadyFile) }, nil // the process ends: a file that stays is harmless
}

// removeReadyFile removes the ready file of an earlier process that was killed: its address is not ours.
func (s *settings) removeReadyFile() error {
	if s.ReadyFile == "" {
		return nil
	}
	if err := os.Remove(s.ReadyFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s.unwritable(err)
	}
	return nil
}

func (s *settings) unwritable(err error) error {
	return fmt.Errorf("%sready_file: %w; name a file in a folder that this user can write to",
		s.source.place("ready_file", s.flags), err)
}
