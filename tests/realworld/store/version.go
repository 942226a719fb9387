package main

import (
	"bytes"
	"errors"
	"sync/atomic"

	"github.com/glassheap/glassheap/allocator"
)

// version is what the store consists of for a while. It does not change; what comes and goes with it is freed when the last one who
// reads it has released it.
type version struct {
	memtables []*memtable // the newest first: that one is written to
	segments  []*segment  // the newest first
	refs      atomic.Int32
}

// newVersion makes a version that its caller has to release.
func newVersion(memtables []*memtable, segments []*segment) *version {
	v := &version{memtables: memtables, segments: segments}
	v.refs.Add(1)
	for _, m := range memtables {
		m.refs.Add(1)
	}
	for _, s := range segments {
		s.refs.Add(1)
	}
	return v
}

func (v *version) release() error {
	if v.refs.Add(-1) > 0 {
		return nil
	}
	var errs []error
	for _, m := range v.memtables {
		errs = append(errs, m.release())
	}
	for _, s := range v.segments {
		errs = append(errs, s.release())
	}
	return errors.Join(errs...)
}

// snapshot is the store as it was at a sequence. Whoever has one must release it, and use nothing of it afterwards.
type snapshot struct {
	*version
	sequence uint64
}

// found is a record where it lies.
type found struct {
	record
	heap  *allocator.Heap
	block []byte // that it was read into from a segment; nil: it lies in a memtable
}

func (f found) free() error { return f.heap.Free(f.block) }

// get finds what a key was set to. It has to be freed before the snapshot is released.
func (s snapshot) get(key []byte) (found, bool, error) {
	for _, m := range s.memtables {
		if r, ok := m.get(key, s.sequence); ok {
			return found{record: r, heap: m.heap}, !r.deleted, nil
		}
	}
	for _, g := range s.segments {
		f, ok, err := g.get(key)
		if ok && f.deleted {
			return found{}, false, f.free()
		}
		if ok || err != nil {
			return f, ok, err
		}
	}
	return found{}, false, nil
}

// cursor walks over the records from a key on, those of deleted keys too.
func (s snapshot) cursor(from []byte) cursor {
	var all []cursor
	for _, m := range s.memtables {
		all = append(all, m.cursor(from, s.sequence))
	}
	for _, g := range s.segments {
		all = append(all, g.cursor(from))
	}
	return newMerge(all)
}

// walk calls do with each record from a key on to before another one; an empty one: to the end. Deleted keys are left out.
func (s snapshot) walk(from, to []byte, do func(record) error) (err error) {
	c := s.cursor(from)
	defer func() { err = errors.Join(err, c.close()) }()
	for {
		ok, err := c.next()
		if err != nil || !ok {
			return err
		}
		r := c.record()
		if len(to) > 0 && bytes.Compare(r.key, to) >= 0 {
			return nil
		}
		if r.deleted {
			continue
		}
		if err := do(r); err != nil {
			return err
		}
	}
}
