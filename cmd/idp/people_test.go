package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idptest"
)

// hung is when a request without an answer is given up: later than anything that the tests allow.
const hung = 20 * time.Second

// person is a user whose sign-in the provider acknowledged.
type person struct {
	*idptest.Browser
	redeemed []string // codes that gave tokens
}

func newPerson(t *testing.T, address, name string) *person {
	b := browserAt(t, address)
	b.SignIn(name)
	return &person{Browser: b}
}

func browserAt(t testing.TB, address string) *idptest.Browser {
	return (&idptest.Provider{Issuer: "http://" + address}).Browser(t)
}

// at is the same person at another replica of the provider, behind a load balancer: cookies ignore ports.
func (p *person) at(t *testing.T, address string) *person {
	b := browserAt(t, address)
	b.Host = p.host()
	b.SetCookies(p.Cookies())
	return &person{Browser: b}
}

// visitor is the same person in a browser whose requests may fail, at the address.
func (p *person) visitor(t *testing.T, address string) *visitor {
	v := newVisitor(t, address)
	v.Host = p.host()
	v.SetCookies(p.Cookies())
	return v
}

// host is the provider's host: a person signs in there, or has its name as the Host header already.
func (p *person) host() string {
	return cmp.Or(p.Host, strings.TrimPrefix(p.Provider().Issuer, "http://"))
}

func (p *person) renew() {
	code := p.Code(silent)
	p.Tokens("spa", code)
	p.redeemed = append(p.redeemed, code)
}

// checkSpent holds that no code redeems twice.
func (p *person) checkSpent(t *testing.T) {
	t.Helper()
	for _, code := range p.redeemed {
		if page := p.Post("/token", tokenForm(code)); !isSpent(page) {
			t.Errorf("RFC 6749 §4.1.2 a code redeemed before gives %d %s", page.Status, page.Body)
		}
	}
	p.redeemed = nil
}

// silent is the request of a silent renewal.
var silent = idptest.Request("spa", "prompt", "none")

// tokenForm redeems a code of spa.
func tokenForm(code string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"spa"}, "code": {code}, "code_verifier": {idptest.CodeVerifier},
		"redirect_uri": {idptest.Request("spa").Get("redirect_uri")},
	}
}

// isSpent tells whether the token endpoint refused the code.
func isSpent(page idptest.Page) bool {
	return page.Status == http.StatusBadRequest && strings.Contains(page.Body, "invalid_grant")
}

// visitor is a browser whose requests may fail, because the test kills or stops a process. One goroutine uses
// it.
type visitor struct {
	*idptest.Browser
	attempt *attempt
}

func newVisitor(t *testing.T, address string) *visitor {
	a := &attempt{TB: t}
	return &visitor{browserAt(a, address), a}
}

// attempt is the test that the visitor's browser knows. What would end a test ends what try was given.
type attempt struct {
	testing.TB
	ctx context.Context // of the one that is under way
}

// failure is what an attempt ends with.
type failure struct{ error }

func (a *attempt) Context() context.Context { return a.ctx }
func (a *attempt) Helper()                  {}

func (a *attempt) Fatal(args ...any) {
	if err, ok := args[0].(error); ok {
		panic(failure{err})
	}
	panic(failure{errors.New(fmt.Sprint(args...))})
}

func (a *attempt) Fatalf(format string, args ...any) { panic(failure{fmt.Errorf(format, args...)}) }

// try does something with the browser and returns what failed.
func (v *visitor) try(do func()) (err error) {
	ctx, cancel := context.WithTimeout(v.attempt.TB.Context(), hung)
	defer cancel()
	v.attempt.ctx = ctx
	defer func() {
		switch ended := recover().(type) {
		case nil:
		case failure:
			err = ended.error
		default:
			panic(ended)
		}
	}()
	do()
	return nil
}

// isPassing tells whether the error is temporary, while a process is away: no connection, a broken connection, or the
// answer that says so. A request that nobody answered within hung is none.
func isPassing(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	_, broke := errors.AsType[*url.Error](err)
	_, noConnection := errors.AsType[net.Error](err)
	cutOff := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	return broke || noConnection || cutOff || strings.Contains(err.Error(), "temporarily_unavailable")
}
