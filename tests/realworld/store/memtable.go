package main

import (
	"bytes"
	"math/bits"
	"math/rand/v2"
	"sync/atomic"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/offheap"
)

// memtable is what was written last: a skip list off-heap, that many read while one writes. All of it lies in one scope, which is freed
// at once when the last version that has the memtable is gone.
type memtable struct {
	heap   *allocator.Heap
	number uint64 // that of its log
	scope  *offheap.Scope
	head   *node
	bytes  int // of the records
	refs   atomic.Int32
}

// node is how an entry begins. Its links follow, then key and value. Of nodes with one key the newest comes first.
type node struct {
	sequence   uint64
	keyBytes   uint32
	valueBytes uint32
	height     uint32 // how many links it has
	deleted    uint32
}

const (
	nodeBytes = int(unsafe.Sizeof(node{}))
	linkBytes = 8
	mostLinks = 12
)

func newMemtable(heap *allocator.Heap, number uint64, apart bool) (*memtable, error) {
	m := &memtable{heap: heap, number: number, scope: offheap.NewScope(heap, offheap.Apart(apart))}
	var err error
	m.head, err = m.newNode(mostLinks, 0, record{})
	return m, err
}

// newNode makes a node that is not in the list yet.
func (m *memtable) newNode(height int, sequence uint64, r record) (*node, error) {
	n := nodeBytes + height*linkBytes + len(r.key) + len(r.value)
	words, err := offheap.MakeIn[uint64](m.scope, (n+7)/8)
	if err != nil {
		return nil, err
	}
	made := (*node)(unsafe.Pointer(unsafe.SliceData(words)))
	*made = node{sequence: sequence, keyBytes: uint32(len(r.key)), valueBytes: uint32(len(r.value)), height: uint32(height)}
	if r.deleted {
		made.deleted = 1
	}
	at := made.record()
	copy(at.key, r.key)
	copy(at.value, r.value)
	return made, nil
}

// record is the node's, where it lies.
func (n *node) record() record {
	key := (*byte)(unsafe.Add(unsafe.Pointer(n), nodeBytes+int(n.height)*linkBytes))
	value := (*byte)(unsafe.Add(unsafe.Pointer(key), n.keyBytes))
	return record{unsafe.Slice(key, n.keyBytes), unsafe.Slice(value, n.valueBytes), n.deleted != 0}
}

// link is how far away the next node is, on one level; 0: it is the last one.
func (n *node) link(level int) *int64 {
	return (*int64)(unsafe.Add(unsafe.Pointer(n), nodeBytes+level*linkBytes))
}

func (n *node) next(level int) *node {
	away := atomic.LoadInt64(n.link(level))
	if away == 0 {
		return nil
	}
	return (*node)(unsafe.Add(unsafe.Pointer(n), away))
}

func (n *node) setNext(level int, next *node) {
	away := int64(0)
	if next != nil {
		away = int64(uintptr(unsafe.Pointer(next))) - int64(uintptr(unsafe.Pointer(n)))
	}
	atomic.StoreInt64(n.link(level), away)
}

// before reports whether the node stands before a key as it was at a sequence.
func (n *node) before(key []byte, sequence uint64) bool {
	c := bytes.Compare(n.record().key, key)
	return c < 0 || c == 0 && n.sequence > sequence
}

// seek is the first node that does not stand before a key as it was at a sequence. It writes the last ones that do, for each level, to
// where previous points.
func (m *memtable) seek(key []byte, sequence uint64, previous *[mostLinks]*node) *node {
	at, next := m.head, (*node)(nil)
	for level := mostLinks - 1; level >= 0; level-- {
		for next = at.next(level); next != nil && next.before(key, sequence); next = at.next(level) {
			at = next
		}
		if previous != nil {
			previous[level] = at
		}
	}
	return next
}

// randomHeight is 1 for three of four nodes, 2 for three of the rest, and so on.
func randomHeight() int { return min(1+bits.TrailingZeros64(rand.Uint64()|1<<62)/2, mostLinks) }

// insert puts a node into the list. Only one goroutine does so at a time.
func (m *memtable) insert(n *node) {
	var previous [mostLinks]*node
	r := n.record()
	m.seek(r.key, n.sequence, &previous)
	for level := range int(n.height) {
		n.setNext(level, previous[level].next(level))
		previous[level].setNext(level, n)
	}
	m.bytes += r.bytes()
}

// get is the record of a key as it was at a sequence.
func (m *memtable) get(key []byte, sequence uint64) (record, bool) {
	n := m.seek(key, sequence, nil)
	if n == nil || !bytes.Equal(n.record().key, key) {
		return record{}, false
	}
	return n.record(), true
}

// cursor walks over the records from a key on, as they were at a sequence.
func (m *memtable) cursor(from []byte, sequence uint64) cursor {
	return &memtableCursor{first: m.seek(from, sequence, nil), sequence: sequence}
}

type memtableCursor struct {
	first, at *node // first: what next goes to at first
	sequence  uint64
}

func (c *memtableCursor) next() (bool, error) {
	before := c.at
	n := c.first
	if before != nil {
		n = before.next(0)
	}
	for n != nil && (n.sequence > c.sequence || before != nil && bytes.Equal(n.record().key, before.record().key)) {
		n = n.next(0)
	}
	if c.at = n; n == nil {
		c.first = nil
	}
	return n != nil, nil
}

func (c *memtableCursor) record() record { return c.at.record() }

func (c *memtableCursor) close() error { return nil }

func (m *memtable) release() error {
	if m.refs.Add(-1) > 0 {
		return nil
	}
	return m.scope.Free()
}
