// Package secretfile says where credentials may be: in which files, and in no address. It never reads them.
package secretfile

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
)

// Check refuses a file that users outside its owner and group may read, write or execute. The error does not name the
// file.
func Check(info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		return fmt.Errorf("has the mode %v, so that others may read it: chmod 600", mode)
	}
	return nil
}

// CheckURL refuses an address with a user or a password, which logs and errors would show. setting names the file that
// they belong into.
func CheckURL(u *url.URL, setting string) error {
	if u.User != nil {
		return errors.New("it holds a user or a password, which would be logged: put them into the file that " + setting + " names")
	}
	return nil
}
