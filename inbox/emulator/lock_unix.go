//go:build unix && !solaris && !aix && !illumos

package emulator

import (
	"errors"
	"os"
	"syscall"
)

// lockFile opens a file that one process at a time can have; the lock ends with it.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return nil, errors.Join(errors.New("another emulator has this directory"), f.Close())
	}
	return f, nil
}
