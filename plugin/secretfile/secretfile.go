// Package secretfile reads credentials, keys and certificates, from files and the environment, and refuses files with
// secrets that others could read.
package secretfile

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"

	"flb-filter-rgcn/plugin/hostname"
	"flb-filter-rgcn/plugin/regularfile"
)

// Read reads a regular file of at most most bytes. It refuses one that users outside its owner and group may read, write
// or execute. The error names no file.
func Read(path string, most int64) ([]byte, error) { return read(path, most, check) }

// ReadPublic is Read for what is no secret: whoever may read the file.
func ReadPublic(path string, most int64) ([]byte, error) {
	return read(path, most, func(fs.FileInfo) error { return nil })
}

// FromEnv returns the value of an environment variable that holds a secret, without the line break that it ends with where
// the secret was made from a file.
func FromEnv(variable string) string { return strings.TrimRight(os.Getenv(variable), "\r\n") }

// maxAuthorities bounds a file of certificates. Those of a system are some 200 KiB.
const maxAuthorities = 4 << 20

// Authorities reads the certificates of those who may vouch for a server, in the format PEM. The error names no file.
func Authorities(path string) (*x509.CertPool, error) {
	pem, err := ReadPublic(path, maxAuthorities)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("holds no certificate in the format PEM")
	}
	return pool, nil
}

func read(path string, most int64, check func(fs.FileInfo) error) ([]byte, error) {
	f, err := regularfile.Open(path)
	if err != nil {
		return nil, regularfile.Cause(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil {
		err = check(info)
	}
	if err != nil {
		return nil, regularfile.Cause(err)
	}
	b, err := regularfile.ReadFrom(f, most)
	return b, regularfile.Cause(err)
}

// ForOthers is the error about a secret that others may read, write or execute, and the mode of its file.
type ForOthers fs.FileMode

func (mode ForOthers) Error() string {
	return fmt.Sprintf("has the mode %v, so that others may read it: chmod 600", fs.FileMode(mode))
}

func check(info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		return ForOthers(mode)
	}
	return nil
}

// InClear tells whether credentials sent to an address would cross a network for all to read.
func InClear(u *url.URL) bool {
	return u.Scheme != "https" && !hostname.IsLoopback(u.Hostname())
}

// CheckURL refuses an address with a user or a password, which logs and errors would show. setting names the file that
// they belong into.
func CheckURL(u *url.URL, setting string) error {
	if u.User != nil {
		return errors.New("it holds a user or a password, which would be logged: put them into the file that " + setting + " names")
	}
	return nil
}
