package main

import (
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/glassheap/glassheap/allocator"
)

// unfinished ends the name of a segment that is being written.
const unfinished = ".unfinished"

func logName(number uint64) string { return fmt.Sprintf("%012d.log", number) }

// openStore opens the store in a directory, or makes one. What the program before was killed over is brought to an end: what only
// logs have becomes segments, and what was replaced is removed.
func openStore(heap *allocator.Heap, directory string, o options) (s *store, err error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, err
	}
	s = &store{options: o, heap: heap, directory: directory, current: newVersion(nil, nil)}
	s.changed = sync.NewCond(&s.lock)
	if s.held, err = hold(s.path("held")); err != nil {
		return nil, err
	}
	if err := s.recover(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.background.Add(1)
	go s.work()
	return s, nil
}

// hold takes the directory for this process.
func hold(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: another process has the store: %w", path, err), file.Close())
	}
	return file, nil
}

func (s *store) recover() error {
	segments, logs, err := s.files()
	if err != nil {
		return err
	}
	var open []*segment
	for _, f := range segments {
		g, err := openSegment(s.heap, f.path, f.low, f.high)
		if err != nil {
			s.current = newVersion(nil, open) // for close
			return err
		}
		open = append(open, g)
	}
	s.current = newVersion(nil, open)
	number := uint64(0)
	if len(segments) > 0 {
		number = segments[0].high
	}
	for i, f := range logs {
		if f.high <= number { // its segment is there
			if err := os.Remove(f.path); err != nil {
				return err
			}
			continue
		}
		number = f.high
		if err := s.recoverLog(f, i == len(logs)-1); err != nil {
			return err
		}
	}
	_, err = s.rotate(number + 1)
	return err
}

// recoverLog makes a segment of a log.
func (s *store) recoverLog(f file, last bool) (err error) {
	m, err := newMemtable(s.heap, f.high, s.apart)
	m.refs.Add(1)
	defer func() { err = errors.Join(err, m.release()) }()
	if err != nil {
		return err
	}
	sequence := uint64(0)
	err = replay(s.heap, f.path, last, func(r record) error {
		sequence++
		n, err := m.newNode(randomHeight(), sequence, r)
		if err == nil {
			m.insert(n)
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.flush(m)
}

// file is one of the directory's: a segment, or a log, whose low and high are its number.
type file struct {
	path      string
	low, high uint64
}

// files lists the segments, the newest first, and the logs, the oldest first. It removes what was left half done, and segments that
// others have replaced.
func (s *store) files() (segments, logs []file, err error) {
	entries, err := os.ReadDir(s.directory)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		name, f := e.Name(), file{path: s.path(e.Name())}
		if strings.HasSuffix(name, unfinished) {
			if err := os.Remove(f.path); err != nil {
				return nil, nil, err
			}
		} else if n, _ := fmt.Sscanf(name, "%d-%d.segment", &f.low, &f.high); n == 2 && name == segmentName(f.low, f.high) {
			segments = append(segments, f)
		} else if n, _ := fmt.Sscanf(name, "%d.log", &f.high); n == 1 && name == logName(f.high) {
			logs = append(logs, f)
		}
	}
	sort.Slice(logs, func(i, j int) bool { return logs[i].high < logs[j].high })
	// Of segments that end alike, the one that begins earlier comes first: it has what the others have.
	sort.Slice(segments, func(i, j int) bool {
		a, b := segments[i], segments[j]
		return a.high > b.high || a.high == b.high && a.low < b.low
	})
	var kept []file
	for _, f := range segments {
		switch n := len(kept); {
		case n == 0 || f.high < kept[n-1].low:
			kept = append(kept, f)
		case f.low >= kept[n-1].low:
			if err := os.Remove(f.path); err != nil {
				return nil, nil, err
			}
		default:
			return nil, nil, fmt.Errorf("%s and %s have memtables in common", f.path, kept[n-1].path)
		}
	}
	return kept, logs, nil
}
