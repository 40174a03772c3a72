package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"time"
)

// tls12Suites are the cipher suites of TLS 1.2: ECDHE with AES-GCM or ChaCha20-Poly1305 (FAPI 2.0 Security Profile
// §5.2.2, RFC 9325 §4.2, RFC 7905). Go does not let a program choose those of TLS 1.3; all
// of them are allowed.
var tls12Suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// tlsConfig is nil when the provider serves plain http: on loopback, or behind a proxy that serves https.
func (s *settings) tlsConfig() (*tls.Config, error) {
	if !s.servesTLS() {
		return nil, nil
	}
	var certificate tls.Certificate
	var err error
	if s.TLSSelfSigned {
		certificate, err = s.keptCertificate()
	} else if certificate, err = tls.LoadX509KeyPair(s.TLSCert, s.TLSKey); err != nil {
		err = fmt.Errorf("the certificate in %s and the key in %s cannot be used: %w", s.TLSCert, s.TLSKey, err)
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12,
		CipherSuites: tls12Suites, NextProtos: []string{"http/1.1"}}, err
}

// certificateFile is the name of the file with the self-signed certificate and its key, beside a store in a file. It is
// empty for other stores.
func (s *settings) certificateFile() string {
	if s.StoreFile() == "" {
		return ""
	}
	return s.StoreFile() + ".tls.pem"
}

// keptCertificate is the self-signed certificate of the last start, so that a person accepts or trusts it once. It
// makes a new one if none is kept, if that one ends within a day, or if it is for another host. Without a store in a
// file each start has another certificate.
func (s *settings) keptCertificate() (tls.Certificate, error) {
	path := s.certificateFile()
	u, err := url.Parse(s.Issuer)
	if err != nil {
		return tls.Certificate{}, err
	}
	if path != "" {
		kept, err := tls.LoadX509KeyPair(path, path)
		if err == nil && kept.Leaf.VerifyHostname(u.Hostname()) == nil &&
			time.Now().Before(kept.Leaf.NotAfter.AddDate(0, 0, -1)) {
			return kept, nil
		}
	}
	made, err := selfSigned(s.Issuer)
	if err != nil || path == "" {
		return made, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(made.PrivateKey)
	if err != nil {
		return made, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made.Certificate[0]})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return made, fmt.Errorf("the self-signed certificate cannot be kept beside the store: %w; "+
			"let this user write to that folder, or give a certificate by --tls-cert and --tls-key", err)
	}
	return made, nil
}

// selfSigned makes a certificate for the issuer's host and every loopback name. Browsers warn of it.
func selfSigned(issuer string) (tls.Certificate, error) {
	u, err := url.Parse(issuer)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: "Hush development certificate"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(0, 3, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"localhost", "*.localhost", "*.demo.localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if net.ParseIP(u.Hostname()) == nil {
		template.DNSNames = append(template.DNSNames, u.Hostname())
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
