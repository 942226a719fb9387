//go:build linux || darwin || freebsd

package target

import (
	"os"

	"golang.org/x/sys/unix"
)

// freeBytes is how much room there is where a file lies.
func freeBytes(file *os.File) (bytes uint64, known bool) {
	var s unix.Statfs_t
	if err := unix.Fstatfs(int(file.Fd()), &s); err != nil {
		return 0, false
	}
	return uint64(max(int64(s.Bavail), 0)) * uint64(s.Bsize), true
}
