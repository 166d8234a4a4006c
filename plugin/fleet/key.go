package fleet

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"flb-filter-rgcn/plugin/regularfile"
	"flb-filter-rgcn/plugin/secretfile"
)

// Keys are PEM files as OpenSSL writes them (openssl genpkey -algorithm ed25519).
const (
	privateBlock = "PRIVATE KEY" // PKCS #8
	publicBlock  = "PUBLIC KEY"  // PKIX
)

// Trust is whose published states are taken.
type Trust struct {
	Keys     []ed25519.PublicKey // any of them
	Unsigned bool                // states without a signature are taken, too
}

const keyIDSize = 8

// keyID tells keys apart in headers and messages.
type keyID [keyIDSize]byte

func (id keyID) String() string { return hex.EncodeToString(id[:]) }

func idOf(key ed25519.PublicKey) (id keyID) {
	sum := sha256.Sum256(key)
	copy(id[:], sum[:])
	return id
}

// KeyName is the short name of a public key in messages.
func KeyName(key ed25519.PublicKey) string { return idOf(key).String() }

// maxKeyFile bounds a file with keys, which somebody may have mistaken for another.
const maxKeyFile = 64 << 10

// NewKeys makes a key pair and writes the private key to path, for its owner alone (mode 0600), and the public one to
// path.pub. It overwrites nothing, and where it fails it leaves neither.
func NewKeys(path string) (public ed25519.PublicKey, err error) { return newKeys(path, pem.Encode) }

func newKeys(path string, encode func(io.Writer, *pem.Block) error) (public ed25519.PublicKey, err error) {
	write := func(path string, mode os.FileMode, block string, der []byte) error {
		return writeNew(path, mode, func(out io.Writer) error { return encode(out, &pem.Block{Type: block, Bytes: der}) })
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	pkix, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	if err := write(path, 0o600, privateBlock, pkcs8); err != nil {
		return nil, err
	}
	if err := write(path+".pub", 0o644, publicBlock, pkix); err != nil {
		return nil, withdraw(path, err) // a private key without its public one serves nobody
	}
	return public, nil
}

// writeNew makes a file, whole or not at all: half a key would stand in the way of the next try.
func writeNew(path string, mode os.FileMode, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: remove it or name another file", path)
	}
	if err != nil {
		return err
	}
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return withdraw(path, err)
	}
	return nil
}

// withdraw removes a file that was made before an error, which it returns, with what remains.
func withdraw(path string, err error) error {
	if e := os.Remove(path); e != nil && !errors.Is(e, fs.ErrNotExist) {
		return fmt.Errorf("%w; %s is of no use and stays, remove it: %w", err, path, regularfile.Cause(e))
	}
	return err
}

// ReadSigningKey reads a private key. A file that everybody may read is refused: such a key proves nothing.
func ReadSigningKey(path string) (ed25519.PrivateKey, error) {
	b, err := secretfile.Read(path, maxKeyFile)
	if errors.As(err, new(secretfile.ForOthers)) {
		err = fmt.Errorf("%w, and make new keys (rgcn keygen) if somebody might have read or changed it", err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var keys []ed25519.PrivateKey
	err = eachKey(path, b, privateBlock, func(der []byte) (err error) {
		key, err := x509.ParsePKCS8PrivateKey(der)
		k, ok := key.(ed25519.PrivateKey)
		if err == nil && !ok {
			err = fmt.Errorf("it is of the type %T, want ed25519", key)
		}
		keys = append(keys, k)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case len(keys) > 1:
		return nil, fmt.Errorf("%s: %d private keys, want one", path, len(keys))
	}
	return keys[0], nil
}

// ReadPublicKeys reads one or more public keys: while a trainer changes its key, scorers trust both.
func ReadPublicKeys(path string) (keys []ed25519.PublicKey, err error) {
	b, err := secretfile.ReadPublic(path, maxKeyFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	err = eachKey(path, b, publicBlock, func(der []byte) error {
		key, err := x509.ParsePKIXPublicKey(der)
		k, ok := key.(ed25519.PublicKey)
		if err == nil && !ok {
			err = fmt.Errorf("it is of the type %T, want ed25519", key)
		}
		keys = append(keys, k)
		return err
	})
	return keys, err
}

// eachKey hands the blocks of the PEM file at path to use, at least one. Its errors hold nothing of the file.
func eachKey(path string, b []byte, block string, use func(der []byte) error) error {
	n := 0
	for p, rest := pem.Decode(b); p != nil; p, rest = pem.Decode(rest) {
		if p.Type != block {
			return fmt.Errorf("%s holds a %s, want a %s", path, p.Type, block)
		}
		if err := use(p.Bytes); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		n++
	}
	if n == 0 {
		return fmt.Errorf("%s holds no %s in the format PEM; rgcn keygen makes a pair", path, block)
	}
	return nil
}
