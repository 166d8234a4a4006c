package secretfile

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Explain adds to the error of a connection to a server what to do about it, where that is known: setting is the one that
// names the file with the certificates of authorities, https whether the address begins with https://.
func Explain(err error, setting string, https bool) error {
	switch {
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return fmt.Errorf("%w: want the certificate of its authority in the file that %s names", err, setting)
	case https && (errors.As(err, new(tls.RecordHeaderError)) || err != nil && strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")):
		return fmt.Errorf("%w: want http:// in its address, or the port where it speaks TLS", err)
	case !https && errors.Is(err, io.EOF):
		return fmt.Errorf("%w: the server ends the connection without an answer, as some do that want https:// in their address", err)
	}
	return err
}
