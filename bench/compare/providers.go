package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hush-idp/hush/bench/renewal"
)

const (
	es256 = "ES256"
	rs256 = "RS256"
)

// provider is a row of the table: a program with one kind of access token.
type provider struct {
	name, access string // access is the kind of access token: opaque, JWT, or "" without tokens
	binary       string // whose size is told; "": none
	hush         bool   // its row is emphasized
	// command is the command line that serves http:// and address, with a key for algorithm.
	command func(address, algorithm string) []string
	client  renewal.Options // without the issuer
	names   []string        // of its users, with the password of the same name; nil: u0, u1 and so on with the password x
}

// app is the client that each provider knows.
var app = renewal.Options{ClientID: "app", RedirectURI: "http://127.0.0.1:9999/cb", Scopes: []string{"openid"}}

// base is the provider whose processor time is the unit.
const base = "lean"

// providers are all rows of the table. The programs are in binaries, and keys and configurations are written to folder.
func providers(folder, binaries string) ([]provider, error) {
	if err := writeKeys(folder); err != nil {
		return nil, err
	}
	key := func(algorithm string) string { return filepath.Join(folder, algorithm+".pem") }
	peer := func(name, access string, flags ...string) provider {
		binary := filepath.Join(binaries, name)
		return provider{name: name, access: access, binary: binary, client: app,
			command: func(address, algorithm string) []string {
				return append([]string{binary, "--listen", address, "--key", key(algorithm)}, flags...)
			}}
	}
	floor := peer("floor", "")
	floor.client.Constant = true
	all := []provider{
		floor, peer(base, "opaque"), peer(base, "JWT", "--jwt"), peer("fosite", "opaque"), peer("zitadel", "opaque"),
		peer("zitadel", "JWT", "--jwt"),
	}
	if _, err := os.Stat("peers/node/node_modules"); err == nil {
		all = append(all, provider{name: "node-oidc-provider", access: "opaque", client: app,
			command: func(address, algorithm string) []string {
				_, port, _ := strings.Cut(address, ":")
				return []string{"node", "peers/node/server.js", port, key(algorithm)}
			}})
	}
	for _, access := range []string{"opaque", "JWT"} {
		all = append(all, newHush("Hush", access, folder))
	}
	return append(all, newHush("Hush, development mode", "JWT", folder, "--dev=true")), nil
}

// Where make bench puts the programs.
const (
	hushBinary = "../bin/idp"
	binaries   = "../bin/bench"
)

// newHush is the provider of this project.
func newHush(name, access, folder string, flags ...string) provider {
	client := app
	client.AccessJWT, client.AuthTime = access == "JWT", true
	return provider{name: name, access: access, binary: hushBinary, hush: true, client: client,
		command: func(address, algorithm string) []string {
			config := filepath.Join(folder, algorithm+access+".yaml")
			_ = os.WriteFile(config, []byte(hushConfig(algorithm, access, folder, concurrency)), 0o600) // or it does not start
			return append([]string{hushBinary, "--dev=false", "--config", config, "--listen", address,
				"--issuer", "http://" + address}, flags...)
		}}
}

// hushConfig is a configuration of Hush with a number of users, u0 and so on.
func hushConfig(algorithm, access, folder string, users int) string {
	var text strings.Builder
	fmt.Fprintf(&text, `signing_keys: [{alg: %s, file: %s}]
clients:
  - client_id: app
    client_name: App
    token_endpoint_auth_method: none
    first_party: true
    redirect_uris: [http://127.0.0.1:9999/cb]
`, algorithm, filepath.Join(folder, algorithm+".pem"))
	if access == "opaque" {
		text.WriteString("    access_token_format: opaque\n")
	}
	text.WriteString("users:\n")
	for i := range users {
		fmt.Fprintf(&text, "  - {username: u%d, password: x}\n", i)
	}
	return text.String()
}

// writeKeys writes a private key for each algorithm.
func writeKeys(folder string) error {
	ec, errEC := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if errEC != nil {
		return errEC
	}
	rsa, errRSA := rsa.GenerateKey(rand.Reader, 2048)
	if errRSA != nil {
		return errRSA
	}
	for algorithm, key := range map[string]crypto.PrivateKey{es256: ec, rs256: rsa} {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return err
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
		if err := os.WriteFile(filepath.Join(folder, algorithm+".pem"), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}
