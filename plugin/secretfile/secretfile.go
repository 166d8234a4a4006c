// Package secretfile says which files may hold credentials. It never reads them.
package secretfile

import (
	"fmt"
	"io/fs"
)

// Check refuses a file that users outside its owner and group may read, write or execute. The error does not name the
// file.
func Check(info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		return fmt.Errorf("has the mode %v, so that others may read it: chmod 600", mode)
	}
	return nil
}
