package symbols

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// OpenFile opens an executable by its path. Close closes it. Nothing says that it is the program whose addresses will be
// asked for: OpenMatching does.
func OpenFile(path string) (*Table, error) {
	file, err := openExecutable(path)
	if err != nil {
		return nil, err
	}
	return openOwned(file)
}

// OpenMatching opens an executable that must have a build ID, that of a process, a core or a snapshot: otherwise it is a
// *WrongExecutableError, or ErrNoBuildID where there is nothing to compare, because wrong names are worse than none.
func OpenMatching(path, buildID string) (*Table, error) {
	file, err := openExecutable(path)
	if err != nil {
		return nil, err
	}
	if err := Check(file, buildID); err != nil {
		file.Close()
		return nil, err
	}
	return openOwned(file)
}

// Check compares an executable's build ID with the one that is wanted: see OpenMatching.
func Check(executable io.ReaderAt, wanted string) error {
	found, err := BuildID(executable)
	switch {
	case err != nil:
		return err
	case wanted == "":
		return ErrNoBuildID
	case found != wanted:
		return &WrongExecutableError{Wanted: printable(wanted), Found: found}
	}
	return nil
}

func openOwned(file *os.File) (*Table, error) {
	t, err := Open(file)
	if err != nil {
		file.Close()
		return nil, err
	}
	t.closer = file
	return t, nil
}

func openExecutable(path string) (*os.File, error) {
	// Without O_NONBLOCK, opening a pipe would wait for somebody to write into it.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: errNotRegular}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

var errNotRegular = errors.New("it is no regular file")
