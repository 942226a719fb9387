package main

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/glassheap/glassheap/allocator"
)

// store is a key-value store in a directory. Its methods may be called concurrently.
type store struct {
	options
	heap      *allocator.Heap
	directory string
	held      *os.File // that only one process has

	writing  sync.Mutex // whoever writes: to the log, and to the memtable that is in front
	log      *log
	sequence atomic.Uint64 // of the last write that can be read

	lock                 sync.Mutex
	changed              *sync.Cond // what follows
	current              *version
	closing              bool
	failed               error // of the log: nothing is written any more
	stuck                error // of the background, which tries again as soon as somebody was told
	flushes, compactions int

	background sync.WaitGroup
}

type options struct {
	memtableBytes int
	sync, apart   bool
}

// mostMemtables is how many there are at most: writers wait while more than that would have to be flushed.
const mostMemtables = 3

// errClosing is what a writer is told that waited.
var errClosing = errors.New("the store is being closed")

// snapshot is the store as it is now.
func (s *store) snapshot() snapshot {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.current.refs.Add(1)
	return snapshot{s.current, s.sequence.Load()}
}

// set sets a key, or deletes it. When it returns without an error, the program may be killed: the log has it.
func (s *store) set(r record) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.write(r)
}

// remove deletes a key, and reports whether it was there.
func (s *store) remove(key []byte) (bool, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	now := s.snapshot()
	f, ok, err := now.get(key)
	if ok {
		err = errors.Join(err, f.free())
	}
	if err = errors.Join(err, now.release()); err != nil || !ok {
		return false, err
	}
	return true, s.write(record{key: key, deleted: true})
}

// write adds a record to the log and to the memtable, in which it can be read when the log has it.
func (s *store) write(r record) error {
	m, err := s.memtable()
	if err != nil {
		return err
	}
	sequence := s.sequence.Load() + 1
	n, err := m.newNode(randomHeight(), sequence, r)
	if err != nil {
		return err // the log does not have it
	}
	if err := s.log.add(r); err != nil {
		return s.fail(err)
	}
	m.insert(n)
	s.sequence.Store(sequence)
	return nil
}

// memtable is the one to write to, with room in it.
func (s *store) memtable() (*memtable, error) {
	s.lock.Lock()
	m, err := s.current.memtables[0], s.failed
	full := m.bytes >= s.memtableBytes
	if err == nil && full {
		err = s.await(func() bool { return len(s.current.memtables) < mostMemtables })
	}
	s.lock.Unlock()
	if err != nil || !full {
		return m, err
	}
	return s.rotate(m.number + 1)
}

// rotate puts a new memtable with a new log in front. The old one is flushed in the background.
func (s *store) rotate(number uint64) (*memtable, error) {
	m, err := newMemtable(s.heap, number, s.apart)
	if err != nil {
		return nil, errors.Join(err, m.scope.Free())
	}
	l, err := createLog(s.heap, s.path(logName(number)), s.sync)
	if err == nil && s.sync {
		err = syncDirectory(s.directory)
	}
	if err != nil {
		return nil, errors.Join(s.fail(err), m.scope.Free())
	}
	old := s.log
	s.log = l
	s.lock.Lock()
	err = s.install(append([]*memtable{m}, s.current.memtables...), s.current.segments)
	s.lock.Unlock()
	if old != nil {
		err = errors.Join(err, old.close())
	}
	return m, err
}

// install makes another version the current one. The lock is held.
func (s *store) install(memtables []*memtable, segments []*segment) error {
	old := s.current
	s.current = newVersion(memtables, segments)
	s.changed.Broadcast()
	return old.release()
}

// fail remembers why nothing is written any more, and returns it.
func (s *store) fail(err error) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.failed = err
	return err
}

// await waits until the background has done enough. What keeps it from that is told to whoever waits first. The lock is held.
func (s *store) await(enough func() bool) error {
	for !enough() {
		switch stuck := s.stuck; {
		case s.failed != nil:
			return s.failed
		case s.closing:
			return errClosing
		case stuck != nil:
			s.stuck = nil
			s.changed.Broadcast()
			return stuck
		}
		s.changed.Wait()
	}
	return nil
}

// save returns when all that was written before is in segments.
func (s *store) save() error {
	s.writing.Lock()
	s.lock.Lock()
	m, err := s.current.memtables[0], s.failed
	s.lock.Unlock()
	number := m.number
	if err == nil && m.bytes > 0 {
		_, err = s.rotate(number + 1)
	}
	s.writing.Unlock()
	if err != nil {
		return err
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.await(func() bool {
		n := len(s.current.memtables)
		return n == 1 || s.current.memtables[n-1].number > number
	})
}

// work flushes memtables and merges segments until the store is closed.
func (s *store) work() {
	defer s.background.Done()
	for {
		s.lock.Lock()
		for !s.closing && (s.stuck != nil || len(s.current.memtables) == 1 && mergeable(s.current.segments) == 0) {
			s.changed.Wait()
		}
		memtables, segments := s.current.memtables, s.current.segments
		end := s.closing
		s.lock.Unlock()
		if end {
			return
		}
		var err error
		if n := len(memtables); n > 1 {
			err = s.flush(memtables[n-1])
		} else {
			err = s.compact(segments, mergeable(segments))
		}
		if err != nil {
			s.lock.Lock()
			s.stuck = err
			s.changed.Broadcast()
			s.lock.Unlock()
		}
	}
}

// flush makes a segment of the oldest memtable, which only this goroutine takes out of the version.
func (s *store) flush(m *memtable) error {
	made, err := s.makeSegment(m.number, m.number, m.cursor(nil, math.MaxUint64), false)
	if err != nil {
		return err
	}
	s.lock.Lock()
	memtables := s.current.memtables
	if n := len(memtables); n > 0 && memtables[n-1] == m {
		memtables = memtables[: n-1 : n-1]
	}
	s.flushes++
	err = s.install(memtables, append([]*segment{made}, s.current.segments...))
	s.lock.Unlock()
	return errors.Join(err, os.Remove(s.path(logName(m.number))))
}

// mergeable is how many of the segments, the newest first, are to be merged: those that are no larger than all newer ones together,
// once they are a few. So each record is written again only when what it is in has doubled.
func mergeable(segments []*segment) int {
	n, bytes := 0, uint64(0)
	for _, s := range segments {
		if n > 0 && s.trailer.RecordBytes > bytes {
			break
		}
		n, bytes = n+1, bytes+s.trailer.RecordBytes
	}
	if n < leastMerged {
		return 0
	}
	return n
}

const leastMerged = 4

// compact makes one segment of the newest n. Only this goroutine changes which segments there are.
func (s *store) compact(segments []*segment, n int) error {
	var cursors []cursor
	for _, g := range segments[:n] {
		cursors = append(cursors, g.cursor(nil))
	}
	made, err := s.makeSegment(segments[n-1].low, segments[0].high, newMerge(cursors), n == len(segments))
	if err != nil {
		return err
	}
	s.lock.Lock()
	s.compactions++
	err = s.install(s.current.memtables, append([]*segment{made}, segments[n:]...))
	s.lock.Unlock()
	errs := []error{err}
	for _, g := range segments[:n] {
		errs = append(errs, os.Remove(g.path)) // who reads it can go on
	}
	return errors.Join(errs...)
}

// makeSegment makes the segment of some memtables. With its name it is there as a whole, and whatever it was made from is not needed
// any more.
func (s *store) makeSegment(low, high uint64, c cursor, oldest bool) (*segment, error) {
	path := s.path(segmentName(low, high))
	err := writeSegment(s.heap, path+unfinished, c, oldest)
	if err == nil {
		err = os.Rename(path+unfinished, path)
	}
	if err == nil {
		err = syncDirectory(s.directory)
	}
	if err != nil {
		return nil, err
	}
	return openSegment(s.heap, path, low, high)
}

// close frees everything. What is in memtables is in logs, too. No other call may be under way.
func (s *store) close() error {
	s.lock.Lock()
	s.closing = true
	s.changed.Broadcast()
	s.lock.Unlock()
	s.background.Wait()
	err := s.current.release()
	if s.log != nil {
		err = errors.Join(err, s.log.close())
	}
	return errors.Join(err, s.held.Close())
}

func (s *store) path(name string) string { return filepath.Join(s.directory, name) }

// syncDirectory sees to it that the names in a directory survive the machine.
func syncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
