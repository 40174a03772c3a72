package redis

import (
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/storage/redis/redistest"
)

func TestTLSIsSpokenWithACertificateThatIsTrusted(t *testing.T) {
	authority := httptest.NewTLSServer(nil) // it has a certificate for 127.0.0.1
	defer authority.Close()
	certificate := authority.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	address := redistest.FreeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	redistest.Start(t, "--tls-port", port, "--tls-auth-clients", "no", "--tls-cert-file",
		pemFile(t, "CERTIFICATE", certificate.Certificate[0]), "--tls-key-file", pemFile(t, "PRIVATE KEY", key))
	target, err := parse("rediss://" + address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = target.open(t.Context()); err == nil || !strings.Contains(err.Error(), "SSL_CERT_FILE") {
		t.Errorf("open = %v; want a refusal of the certificate that nobody vouches for", err)
	}
	target.tls.RootCAs = x509.NewCertPool()
	target.tls.RootCAs.AddCert(authority.Certificate())
	store, err := target.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	if err := store.Put(t.Context(), "code:k", []byte("v"), time.Minute); err != nil {
		t.Error(err)
	}
}

func pemFile(t *testing.T, kind string, der []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
