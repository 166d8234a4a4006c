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
	"io/fs"
	"os"

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
// path.pub. It overwrites nothing.
func NewKeys(path string) (public ed25519.PublicKey, err error) {
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
	if err := writeNew(path, 0o600, privateBlock, pkcs8); err != nil {
		return nil, err
	}
	if err := writeNew(path+".pub", 0o644, publicBlock, pkix); err != nil {
		os.Remove(path) // a private key without its public one serves nobody
		return nil, err
	}
	return public, nil
}

func writeNew(path string, mode os.FileMode, block string, der []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: remove it or name another file", path)
	}
	if err != nil {
		return err
	}
	err = pem.Encode(f, &pem.Block{Type: block, Bytes: der})
	return errors.Join(err, f.Sync(), f.Close())
}

// ReadSigningKey reads a private key. A file that everybody may read is refused: such a key proves nothing.
func ReadSigningKey(path string) (ed25519.PrivateKey, error) {
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o007 != 0 {
		return nil, fmt.Errorf("%s has the mode %v, so that others may read or change it: chmod 600, and make new keys (rgcn keygen) "+
			"if somebody might have", path, info.Mode().Perm())
	}
	var keys []ed25519.PrivateKey
	err := readKeys(path, privateBlock, func(der []byte) (err error) {
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
	err = readKeys(path, publicBlock, func(der []byte) error {
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

// readKeys hands the blocks of a PEM file to use, at least one. Its errors hold nothing of the file.
func readKeys(path, block string, use func(der []byte) error) error {
	b, err := secretfile.ReadPublic(path, maxKeyFile)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
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
