// Command load is an OpenID client without a browser: it shows that a provider
// renews tokens silently, for many users at once, without one wrong answer.
//
// The walk of one run:
//
//	discover   the metadata and the jwks, once            provider.go
//	sign in    each user posts the login form, once       user.go, form.go
//	renew      prompt=none, then the token request, N x   user.go
//	check      every answer against what was asked        answer.go
//	report     errors by kind, latency, processor, memory measure.go, cpu.go, memory.go
//
// It runs against any provider that has the built-in users and the public
// client spa:
//
//	go run -C bench ./load --issuer http://127.0.0.1:18080 --users 8 --cycles 10000 --pid P
//
// It exits with status 1 when a single answer was wrong.
//
// Where teaching ends: the client and the provider share one machine, so the
// rates say how two programs share its processors, not what a provider serves.
package main
