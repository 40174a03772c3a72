module github.com/hush-idp/hush/bench

go 1.26.0

require (
	github.com/go-jose/go-jose/v4 v4.1.8
	golang.org/x/net v0.62.0
)
