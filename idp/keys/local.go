package keys

import (
	"slices"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/oidc"
)

// maxRetired is how many replaced keys of this process stay published.
const maxRetired = 8

// local holds the keys of this process alone: read from files, or made at start and lost at its end.
type local struct {
	rotating sync.Mutex // one rotation at a time, so that none replaces a key that another made but did not publish

	mutex   sync.RWMutex
	keys    map[jose.SignatureAlgorithm]func() (*key, error)
	retired []jose.JSONWebKey // the newest first; at most maxRetired
}

// add starts to make or read a key.
func (l *local) add(spec Spec) {
	made := sync.OnceValues(func() (*key, error) { return newKey(spec) })
	go func() { _, _ = made() }() // OnceValues stores the result and the error
	l.keys[spec.Alg] = made
}

// signing returns the key that signs by alg now.
func (l *local) signing(alg jose.SignatureAlgorithm) (*key, error) {
	l.mutex.RLock()
	made := l.keys[alg]
	l.mutex.RUnlock()
	return made()
}

// replaced returns the public halves of the keys that signed before.
func (l *local) replaced() []jose.JSONWebKey {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	return slices.Clone(l.retired)
}

// rotate replaces the keys for algs. The new keys sign at once.
func (l *local) rotate(algs []jose.SignatureAlgorithm) error {
	l.rotating.Lock()
	defer l.rotating.Unlock()
	for _, alg := range algs {
		fresh, err := newKey(Spec{Alg: alg})
		if err != nil {
			return err
		}
		if err := l.replace(alg, fresh); err != nil {
			return err
		}
	}
	return nil
}

func (l *local) replace(alg jose.SignatureAlgorithm, fresh *key) error {
	old, err := l.signing(alg)
	if err != nil {
		return err
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.keys[alg] = func() (*key, error) { return fresh, nil }
	l.retired = slices.Insert(l.retired, 0, old.public)
	l.retired = l.retired[:min(len(l.retired), maxRetired)]
	return nil
}

// errFiles is the error of a rotation when all keys come from files.
func errFiles(specs []Spec) error {
	var files []string
	for _, spec := range specs {
		files = append(files, spec.File)
	}
	return oidc.InvalidRequest.Errorf("the signing keys come from files (%s) that only you can replace: "+
		"write a new key and start the provider again, or leave out the file, so that the provider makes its keys "+
		"and can rotate them", strings.Join(files, ", "))
}
