package target

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// SaveSnapshot writes a snapshot to a file, as WriteSnapshot does. The path gets the whole snapshot or, on an error or when ctx
// ends, stays as it was: the file is written under another name beside it, brought to the disk and renamed. Only its owner
// may read it, for it holds what the program held in its memory.
func SaveSnapshot(ctx context.Context, path string, source io.ReaderAt, extents []Extent, info SnapshotInfo, progress func(done, total int64)) (err error) {
	path, err = destination(path)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.unfinished")
	if err != nil {
		if at := (*fs.PathError)(nil); errors.As(err, &at) {
			err = at.Err // the hidden file's name means nothing to anybody
		}
		return fmt.Errorf("cannot write to %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreMissing(os.Remove(file.Name())))
		}
	}()
	defer file.Close() // the second time where all went well
	w := bufio.NewWriterSize(file, 1<<20)
	if err := WriteSnapshot(ctx, w, source, extents, info, progress); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// destination is where a new file goes: behind a symbolic link, and never in the place of a device.
func destination(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path, nil
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s exists and is not a regular file", path)
	}
	return filepath.EvalSymlinks(path)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
