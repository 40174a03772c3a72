package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// served opens the settings' port, on a free one, and returns what a client meets there.
func served(t *testing.T, s settings) tls.ConnectionState {
	t.Helper()
	state, err := handshake(t, s, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// handshake opens the settings' port, on a free one, and connects to it.
func handshake(t *testing.T, s settings, client *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	s.Listen = "127.0.0.1:0"
	listener, err := s.listen()
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		if conn, err := listener.Accept(); err == nil {
			_, _ = conn.Read(make([]byte, 1)) // makes the handshake; what comes of it is the client's to judge
			_ = conn.Close()
		}
	}()
	conn, err := tls.Dial("tcp", listener.Addr().String(), client)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	return conn.ConnectionState(), nil
}

func TestTheSelfSignedCertificateIsForEveryLoopbackName(t *testing.T) {
	state := served(t, mustSettings(t, "--tls-self-signed", "--issuer=https://login.corp.localhost:8443"))
	if state.Version < tls.VersionTLS12 {
		t.Errorf("RFC 9325 §3.1.1: TLS version %#x", state.Version)
	}
	certificate := state.PeerCertificates[0]
	roots := x509.NewCertPool()
	roots.AddCert(certificate) // as a browser does after a developer accepts the certificate
	for _, row := range []struct {
		name string
		good bool
	}{
		{"localhost", true},
		{"idp.localhost", true},
		{"app.demo.localhost", true},
		{"login.corp.localhost", true}, // the issuer
		{"127.0.0.1", true},
		{"::1", true},
		{"login.example.com", false},
		{"192.168.0.7", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := certificate.Verify(x509.VerifyOptions{Roots: roots, DNSName: row.name})
			if (err == nil) != row.good {
				t.Errorf("RFC 9525 §6 for %s: %v; want good: %t", row.name, err, row.good)
			}
		})
	}
}

func TestEachStartMakesItsOwnCertificate(t *testing.T) {
	s := mustSettings(t, "--tls-self-signed")
	a, errA := s.tlsConfig()
	b, errB := s.tlsConfig()
	if errA != nil || errB != nil || string(a.Certificates[0].Certificate[0]) == string(b.Certificates[0].Certificate[0]) {
		t.Errorf("two starts gave one certificate (%v, %v)", errA, errB)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	s := mustSettings(t, "--tls-self-signed")
	config, err := s.tlsConfig()
	if err != nil {
		t.Fatal(err)
	}
	if config.MinVersion != tls.VersionTLS12 { // Go's own default may change with GODEBUG
		t.Errorf("RFC 9325 §3.1.1: the least version is %#x; want TLS 1.2", config.MinVersion)
	}
}

var goodSuite = regexp.MustCompile(`^TLS_ECDHE_(RSA|ECDSA)_WITH_(AES_(128|256)_GCM|CHACHA20_POLY1305)_`)

// Each suite is offered alone, to a certificate with the key that it needs.
func TestTLS12HasForwardSecrecyAndAuthenticatedEncryptionOnly(t *testing.T) {
	ecdsaFiles, rsaFiles := [2]string{}, [2]string{}
	ecdsaFiles[0], ecdsaFiles[1] = writeCertificate(t)
	rsaFiles[0], rsaFiles[1] = writeRSACertificate(t)
	good := 0
	for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if !slices.Contains(suite.SupportedVersions, tls.VersionTLS12) {
			continue
		}
		want := goodSuite.MatchString(suite.Name)
		files := rsaFiles
		if strings.Contains(suite.Name, "ECDSA") {
			files = ecdsaFiles
		}
		t.Run("FAPI 2.0 §5.2.2 "+suite.Name, func(t *testing.T) {
			s := mustSettings(t, "--tls-cert", files[0], "--tls-key", files[1])
			state, err := handshake(t, s, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12,
				CipherSuites: []uint16{suite.ID}})
			if (err == nil) != want || err == nil && state.CipherSuite != suite.ID {
				t.Errorf("the handshake gave %v; want it to succeed: %t", err, want)
			}
		})
		if want {
			good++
		}
	}
	if good != 6 {
		t.Errorf("%d good suites were tried; want 6", good)
	}
}

func TestACertificateFromFiles(t *testing.T) {
	certFile, keyFile := writeCertificate(t)
	s := mustSettings(t, "--tls-cert", certFile, "--tls-key", keyFile)
	want, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	if got := served(t, s).PeerCertificates[0].Raw; !bytes.Equal(got, want.Certificate[0]) {
		t.Error("what is served is not the certificate of the file")
	}
	otherCert, _ := writeCertificate(t)
	for name, files := range map[string][2]string{
		"the key of another certificate": {otherCert, keyFile},
		"a file that is not there":       {certFile, filepath.Join(t.TempDir(), "missing.pem")},
		"a key in place of it":           {keyFile, keyFile},
	} {
		t.Run(name, func(t *testing.T) {
			s := mustSettings(t, "--tls-cert", files[0], "--tls-key", files[1])
			_, err := s.listen()
			if err == nil || !strings.Contains(err.Error(), files[0]) || !strings.Contains(err.Error(), files[1]) {
				t.Errorf("listen = %v; want an error that names both files", err)
			}
		})
	}
}

func TestWithoutTLSThereIsNone(t *testing.T) {
	s := mustSettings(t)
	if config, err := s.tlsConfig(); config != nil || err != nil {
		t.Errorf("tlsConfig() = %v, %v; want none", config, err)
	}
}

// writeCertificate writes a self-signed certificate and its key as PEM files.
func writeCertificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	certificate, err := selfSigned("https://localhost:8443")
	if err != nil {
		t.Fatal(err)
	}
	return writePEM(t, certificate.Certificate[0], certificate.PrivateKey)
}

// writeRSACertificate is writeCertificate with an RSA key.
func writeRSACertificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"},
		NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return writePEM(t, der, key)
}

func writePEM(t *testing.T, certificate []byte, private any) (certFile, keyFile string) {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: certificate}, keyFile: {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

// A person accepts the certificate once, so it stays while it is good for the issuer.
func TestTheSelfSignedCertificateIsKeptBesideTheStore(t *testing.T) {
	at := func(issuer, store string) [sha256.Size]byte {
		t.Helper()
		s := &settings{TLSSelfSigned: true, Store: store}
		s.Issuer = issuer
		config, err := s.tlsConfig()
		if err != nil {
			t.Fatal(err)
		}
		return sha256.Sum256(config.Certificates[0].Certificate[0])
	}
	path := filepath.Join(t.TempDir(), "hush.db")
	first := at("https://localhost:8443", "file:"+path)
	if at("https://localhost:9443", "file:"+path) != first {
		t.Error("RFC 5280 §4.1.2.5 a second start has another certificate, though the first is valid")
	}
	info, err := os.Stat(path + ".tls.pem")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others than the owner can read the key: %v %v", info, err)
	}
	other := at("https://app.test.localhost:8443", "file:"+path)
	if other == first || at("https://app.test.localhost:8443", "file:"+path) != other {
		t.Error("RFC 9525 §6 a certificate is kept that is not for the issuer's host")
	}
	if one := at("https://localhost:8443", "memory"); one == at("https://localhost:8443", "memory") {
		t.Error("a provider in memory keeps a certificate somewhere")
	}
}
