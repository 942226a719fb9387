//go:build unix

package target

import (
	"io/fs"
	"syscall"
)

func ownerOf(info fs.FileInfo) (uid uint32, known bool) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Uid, true
	}
	return 0, false
}
