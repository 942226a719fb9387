package target

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// descriptor is an open file of a process.
type descriptor struct {
	link string // "/proc/PID/fd/N"
	path string // where the link points to
}

// descriptors lists the open files of a process, once it is asked. It reads the links only: touching the files themselves
// could wait for a server that is gone.
type descriptors struct {
	proc
	listed bool
	list   []descriptor
}

func (d *descriptors) all() []descriptor {
	if d.listed {
		return d.list
	}
	d.listed = true
	dir, err := os.Open(d.dir + "/fd")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		link := d.dir + "/fd/" + name
		if path, err := os.Readlink(link); err == nil {
			d.list = append(d.list, descriptor{link, path})
		}
	}
	return d.list
}

// openMemoryFile opens the memory file of a heap for reading. A process shows its files in three ways: by its descriptors, by
// its mappings (for root) and by their paths.
func (p proc) openMemoryFile(f found, links *descriptors) (*os.File, error) {
	return p.openMemoryFileFor(f, links, os.O_RDONLY)
}

// openMemoryFileFor is openMemoryFile with the access that is wanted.
func (p proc) openMemoryFileFor(f found, links *descriptors, access int) (*os.File, error) {
	var ways []string
	for _, d := range links.all() {
		if d.path == f.path {
			ways = append(ways, d.link)
		}
	}
	if len(f.mappings) > 0 {
		ways = append(ways, fmt.Sprintf("%s/map_files/%x-%x", p.dir, f.mappings[0].start, f.mappings[0].end))
	}
	if strings.HasPrefix(f.path, "/") && !strings.HasPrefix(f.path, memfdPrefix) {
		ways = append(ways, p.dir+"/root"+f.path)
	}
	errs := []error{errors.New("no descriptor, mapping or path leads to " + f.path)}
	for _, way := range ways {
		file, err := openSame(way, f.inode, access)
		if err == nil {
			return file, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// openSame opens a path if it is the regular file of that inode. The device is not compared: the one in /proc/PID/maps is not
// the one that stat tells on some file systems (btrfs, overlays).
func openSame(path string, inode uint64, access int) (*os.File, error) {
	// Opening a device may do something: look first.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := sameRegular(path, info, inode); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, access|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err = file.Stat(); err == nil {
		err = sameRegular(path, info, inode)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func sameRegular(path string, info fs.FileInfo, inode uint64) error {
	if !info.Mode().IsRegular() || inodeOf(info) != inode {
		return fmt.Errorf("%s is another file now", path)
	}
	return nil
}

func inodeOf(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Ino
	}
	return 0
}
