package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"

	"github.com/hush-idp/hush/idp/dev/console"
)

// readyText is the content of the ready file.
type readyText struct {
	Issuer  string `json:"issuer"`
	Port    int    `json:"port"`
	Console string `json:"console,omitempty"` // in development mode
	PID     int    `json:"pid"`
}

// ready says to programs where the provider is: one line of JSON.
func (s *settings) ready() []byte {
	_, port, _ := net.SplitHostPort(s.Listen) // problems has checked it
	number, _ := strconv.Atoi(port)
	text := readyText{Issuer: s.Issuer, Port: number, PID: os.Getpid()}
	if s.Development() {
		text.Console = s.Issuer + console.Path
	}
	line, _ := json.Marshal(text) // text and numbers have a JSON form
	return append(line, '\n')
}

// writeReadyFile writes the ready file, so that a reader sees all of it or nothing. remove removes it, unless another
// provider has replaced it.
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
	return func() {
		if text, err := os.ReadFile(s.ReadyFile); err == nil && bytes.Equal(text, s.ready()) {
			_ = os.Remove(s.ReadyFile) // the process ends: a file that stays is harmless
		}
	}, nil
}

// removeReadyFile removes the ready file of an earlier process that was killed: its address is not ours. Any other file
// is an error, because a wrong path must not cost data.
func (s *settings) removeReadyFile() error {
	if s.ReadyFile == "" {
		return nil
	}
	info, err := os.Lstat(s.ReadyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && !isReadyFile(s.ReadyFile, info) {
		return fmt.Errorf("%sready_file: %s exists, and is no ready file; remove it, or name another file",
			s.source.place("ready_file", s.flags), s.ReadyFile)
	}
	if err == nil {
		err = os.Remove(s.ReadyFile)
	}
	if err != nil {
		return s.unwritable(err)
	}
	return nil
}

// isReadyFile tells whether the file is empty, as mktemp makes it, or has the content of a ready file.
func isReadyFile(name string, info fs.FileInfo) bool {
	if !info.Mode().IsRegular() || info.Size() > 4096 {
		return false
	}
	text, err := os.ReadFile(name)
	var before readyText
	isReady := err == nil && json.Unmarshal(text, &before) == nil && before.Issuer != "" && before.PID != 0
	return isReady || err == nil && len(text) == 0
}

func (s *settings) unwritable(err error) error {
	return fmt.Errorf("%sready_file: %w; name a file in a folder that this user can write to",
		s.source.place("ready_file", s.flags), err)
}
