package secretfile

import (
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	tls := httptest.NewTLSServer(http.NotFoundHandler())
	defer tls.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer silent.Close()
	for _, c := range []struct{ what, address, want string }{
		{"an authority that nobody knows", tls.URL, ": want the certificate of its authority in the file that ca.setting names"},
		{"no TLS", strings.Replace(plain.URL, "http:", "https:", 1), ": want http:// in its address, or the port where it speaks TLS"},
		{"no answer", silent.URL, "EOF: the server ends the connection without an answer, as some do that want https:// in their address"},
	} {
		_, err := http.Get(c.address)
		if err == nil {
			t.Fatalf("%s: no error", c.what)
		}
		got := Explain(err, "ca.setting", strings.HasPrefix(c.address, "https:"))
		if !strings.HasPrefix(got.Error(), err.Error()) || !strings.HasSuffix(got.Error(), c.want) || !errors.Is(got, err) {
			t.Errorf("%s: %v, want %q at the end", c.what, got, c.want)
		}
	}
	// What says enough is left alone, and so is the end of a connection that was encrypted.
	for _, err := range []error{errors.New("connection refused"), x509.HostnameError{Certificate: &x509.Certificate{}, Host: "h"}} {
		if got := Explain(err, "ca.setting", true); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
}
