package endpoint

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/hush-idp/hush/oidc"
)

// BackChannel has the base URLs at which programs reach the provider besides its issuer, by the Host header: to a
// program in another container, localhost is that container.
type BackChannel map[string]string

// Base returns the base URL that the request was sent to: the one of its Host, or else the issuer.
func (b BackChannel) Base(r *http.Request, issuer string) string {
	if base, ok := b[r.Host]; ok {
		return base
	}
	return issuer
}

// Metadata returns the metadata for each Host. It names the endpoints for programs at that host, and the issuer and the
// pages for browsers where they are.
func (b BackChannel) Metadata(m oidc.Metadata, issuer string, served []Endpoint) map[string]*oidc.Metadata {
	isForPrograms := map[string]bool{}
	for _, e := range served {
		isForPrograms[issuer+e.Path] = e.IsForPrograms()
	}
	all := map[string]*oidc.Metadata{}
	for host, base := range b {
		moved := m
		for _, field := range reflect.ValueOf(&moved).Elem().Fields() {
			if field.Kind() == reflect.String && isForPrograms[field.String()] {
				field.SetString(base + strings.TrimPrefix(field.String(), issuer))
			}
		}
		all[host] = &moved
	}
	return all
}
