package target

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// OpenFile opens a heap file: the named file of a heap, in use or left behind, or a copy of one. The file is known by the
// magic in either copy of the header's identity.
func OpenFile(path string) (Target, error) {
	file, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	start, err := startOf(file)
	if err == nil {
		err = isHeap(path, start)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return newFileTarget(path, file, start), nil
}

// OpenPath opens a heap file, a snapshot or a core, compressed or not: which of them, its content says. The options are for cores,
// and ctx ends the unpacking of one.
func OpenPath(ctx context.Context, path string, o Options) (Target, error) {
	file, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	start, err := startOf(file)
	if err != nil {
		file.Close()
		return nil, err
	}
	switch {
	case bytes.HasPrefix(start, []byte(snapshotMagic)):
		return newSnapshotOf(path, file)
	case bytes.HasPrefix(start, []byte(elfMagic)), packingOf(start) != nil:
		return openCoreOf(ctx, path, file, start, o)
	}
	if err := isHeap(path, start); err != nil {
		file.Close()
		return nil, err
	}
	return newFileTarget(path, file, start), nil
}

// openRegular opens a regular file for reading.
func openRegular(path string) (*os.File, error) {
	// Without O_NONBLOCK, opening a pipe would wait for somebody to write into it.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &NotFoundError{Path: path}
	case errors.Is(err, fs.ErrPermission):
		return nil, filePermission(path, err)
	case err != nil:
		return nil, err
	}
	if err := isRegular(file); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func isRegular(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	switch {
	case info.IsDir():
		return &FormatError{Path: file.Name(), Found: "it is a directory"}
	case !info.Mode().IsRegular():
		return &FormatError{Path: file.Name(), Found: "it is not a regular file"}
	}
	return nil
}

func filePermission(path string, err error) error {
	e := &PermissionError{Wish: "read", Path: path, PtraceScope: -1, Err: err, AskedByRoot: os.Geteuid() == 0}
	if info, statErr := os.Stat(path); statErr == nil {
		if uid, known := ownerOf(info); known {
			e.Owner, e.OwnerIsUs = userName(uid), int(uid) == os.Geteuid()
		}
	}
	return e
}

// userName is the name of a user, or the number where there is no name.
func userName(uid uint32) string {
	number := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(number); err == nil {
		return printable(u.Username)
	}
	return number
}

// startOf reads the part of a file by which it is known.
func startOf(file *os.File) ([]byte, error) {
	start := make([]byte, headerBytes)
	n, err := file.ReadAt(start, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	return start[:n], nil
}

func isHeap(path string, start []byte) error {
	if _, ok := recognise(start, 0); ok {
		return nil
	}
	found := fmt.Sprintf("it starts with % x", start[:min(len(start), 8)])
	switch {
	case len(start) == 0:
		found = "it is empty"
	case bytes.HasPrefix(start, []byte(elfMagic)):
		found = "it is an ELF file (a program, or the core of one)"
	case bytes.HasPrefix(start, []byte(snapshotMagic)):
		found = "it is a snapshot, not a heap file"
	case len(bytes.Trim(start, "\x00")) == 0:
		found = "it starts with zeros"
	}
	return &FormatError{Path: path, Found: found}
}

func newFileTarget(path string, file *os.File, start []byte) Target {
	id, _ := recognise(start, 0)
	return &fileTarget{
		memoryFile: memoryFile{file: file},
		description: Description{
			Kind: KindFile, Path: path, Heap: printable(id.HeapName()), Door: doorHeapFile,
		},
	}
}

type fileTarget struct {
	memoryFile
	description Description
}

func (t *fileTarget) Base() uint64             { return 0 }
func (t *fileTarget) Description() Description { return t.description }

// memoryFile is a heap's memory as a file, a named one or a memfd. It is read with pread: reading through a mapping would
// make the owner's file grow by a page for each hole. Only where the heap's own page map says that there is no hole, and
// nobody can shrink the file, it is looked at through a view.
type memoryFile struct {
	file *os.File
	view *view // nil: there is none
}

// View shows a part of the memory: see Viewer.
func (f memoryFile) View(offset, bytes int64) []byte { return f.view.bytes(offset, bytes) }

func (f memoryFile) ReadAt(p []byte, offset int64) (int, error) {
	if offset > math.MaxInt64-int64(len(p)) {
		return 0, io.EOF // what the system calls invalid is merely behind the end
	}
	return f.file.ReadAt(p, offset)
}

func (f memoryFile) Close() error {
	f.view.close()
	return f.file.Close()
}

// Size is the size of the file now.
func (f memoryFile) Size() int64 {
	info, err := f.file.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}
