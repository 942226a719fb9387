package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/offheap"
)

// log is the file that has what a memtable has, for the case that the program dies.
type log struct {
	file   *os.File
	sync   bool            // so that it survives the machine, too
	record *offheap.Buffer // what is being written
}

func createLog(heap *allocator.Heap, path string, sync bool) (*log, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return &log{file, sync, offheap.NewBuffer(heap)}, nil
}

// add adds a record. After an error nobody knows what the file ends with: nothing may be added any more.
func (l *log) add(r record) error {
	l.record.Reset()
	header := r.header()
	for _, part := range [][]byte{header[:], r.key, r.value} {
		if _, err := l.record.Write(part); err != nil {
			return err
		}
	}
	if _, err := l.file.Write(l.record.Bytes()); err != nil {
		return err
	}
	if l.sync {
		return l.file.Sync()
	}
	return nil
}

func (l *log) close() error { return errors.Join(l.file.Close(), l.record.Free()) }

// damage is an error in a file, and where.
type damage struct {
	path   string
	offset int64
	reason error
}

func (d *damage) Error() string { return fmt.Sprintf("%s: at byte %d: %v", d.path, d.offset, d.reason) }

func (d *damage) Unwrap() error { return d.reason }

// replay calls add with each record of a log. A record at the end that is cut off was not acknowledged: in the log that was written to
// last it is dropped. Whatever else is no record is a *damage.
func replay(heap *allocator.Heap, path string, last bool, add func(record) error) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	text, err := heap.Alloc(int(info.Size()))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, heap.Free(text)) }()
	if _, err := io.ReadFull(file, text); err != nil {
		return err
	}
	err = records(path, text, add)
	if last && errors.Is(err, errShort) {
		return nil
	}
	return err
}

// records calls add with each record of a text.
func records(path string, text []byte, add func(record) error) error {
	for at := 0; at < len(text); {
		r, err := decode(text[at:])
		if err != nil {
			return &damage{path, int64(at), err}
		}
		if err := add(r); err != nil {
			return err
		}
		at += r.bytes()
	}
	return nil
}
