package render_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// image is a copy of a heap's memory that is the same, byte by byte, in every run: made by one goroutine on one P, and then
// moved to addresses and given an owner and a secret that do not change (relocate_test.go). Tests damage it.
type image struct{ bytes []byte }

// The images that tests share. Each test undoes its damage, so none may run in parallel.
var (
	sessionsImage = sync.OnceValue(func() *image { return newImage(allocator.Options{Name: "sessions"}, serveSessions) })
	plainImage    = sync.OnceValue(func() *image {
		return newImage(allocator.Options{Name: "sessions", Mode: allocator.ModePlain}, serveSessions)
	})
	notesImage = sync.OnceValue(func() *image {
		return newImage(allocator.Options{Name: "notes", Geometry: allocator.GeometryNotes, Mode: allocator.ModePlain}, fillBins)
	})
	sealedNotesImage = sync.OnceValue(func() *image {
		return newImage(allocator.Options{Name: "notes", Geometry: allocator.GeometryNotes}, fillBins)
	})
	defaultImage = sync.OnceValue(func() *image { return newImage(allocator.Options{Name: "figures"}, fillBins) })
	freshImage   = sync.OnceValue(func() *image { return newImage(allocator.Options{Name: "fresh"}, nil) })
)

// newImage makes a heap, has it used, and copies its memory.
func newImage(o allocator.Options, use func(*allocator.Heap)) *image {
	// One P has one cache: what is in it does not depend on the scheduler.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	o.ReserveBytes, o.OnViolation = heapArenas*layout.ArenaBytes, func(*allocator.Violation) {}
	h, err := allocator.New(o)
	must(err)
	defer h.Close() // its live blocks are leaks, and meant to be
	if use != nil {
		use(h)
	}
	self, err := target.Self(target.Options{Heap: o.Name})
	must(err)
	defer self.Close()
	var head layout.Header
	_, err = self.ReadAt(layout.Bytes(&head), 0)
	must(err)
	m := &image{make([]byte, head.Identity.Data-head.Identity.Base+head.ArenasUsed*layout.ArenaBytes)}
	if _, err = self.ReadAt(m.bytes, 0); !errors.Is(err, io.EOF) { // an arena that was never mapped is no part of the file
		must(err)
	}
	relocate(m.bytes)
	return m
}

// must ends the test program: there is nothing to test without an image.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// serveSessions leaves blocks in every place that a block can be in: live, aligned, free, cached, in the depot, virgin and
// withdrawn; a slab that is full and one that is empty; live and retired spans, and a huge one.
func serveSessions(h *allocator.Heap) {
	alloc := func(text string) []byte {
		b, err := h.Alloc(len(text))
		must(err)
		copy(b, text)
		return b
	}
	free := func(blocks ...[]byte) {
		for _, b := range blocks {
			must(h.Free(b))
		}
	}
	var names, values, numbers [][]byte
	for i := range 24 {
		names = append(names, alloc(fmt.Sprintf("session %02d of the user grace, who came back today!", i))) // 50 bytes in 56
	}
	for i := range 100 {
		values = append(values, alloc(strings.Repeat(fmt.Sprintf("value %d ", i), 25)[:170]))
	}
	for i := range 200 {
		numbers = append(numbers, alloc(fmt.Sprintf("%08d", i)))
	}
	// From the magazines to the depot, and from there to the slabs' free lists; what is freed later stays where it is then.
	free(names[5], names[6], names[20])
	free(values[10:95]...)
	free(numbers[:95]...)
	h.Scavenge()
	free(numbers[95:190]...)

	for range 2 { // a slab's first block is aligned anyway
		aligned, err := h.AllocAligned(100, 64)
		must(err)
		copy(aligned, "a record that a vector instruction loads")
	}
	alloc(strings.Repeat("page of a report ", 2500))
	draft := alloc(strings.Repeat("draft of a report ", 2000))
	alloc(strings.Repeat("second report ", 5000))
	free(draft)
	_, err := h.Alloc(1200 << 10)
	must(err)

	// A write past the end, by one byte: Free finds it and withdraws the block.
	short := alloc("thirty-three bytes of an old name")
	*past(short) = '!'
	if h.Free(short) == nil && h.Stats().Mode == allocator.ModeSealed {
		panic("the overflow went unnoticed")
	}
}

// fillBins has a slab made for each bin.
func fillBins(h *allocator.Heap) {
	geometry := allocator.GeometryDefault
	if h.Name() == "notes" {
		geometry = allocator.GeometryNotes
	}
	for _, class := range layout.Classes(geometry, 0) {
		_, err := h.Alloc(int(class.Size))
		must(err)
	}
}

// owned is the image as the memory of the process that every text tells of.
type owned struct{ target.Target }

func (owned) Description() target.Description {
	return target.Description{Kind: target.KindProcess, PID: ownerPID, Program: "cacheserver", Heap: "sessions", Door: "memfd"}
}

func (m *image) target() target.Target { return owned{target.FromBytes(m.bytes)} }

// open is the decoded heap.
func (m *image) open(t testing.TB) *inspect.Heap {
	t.Helper()
	h, err := inspect.Open(context.Background(), m.target())
	require.NoError(t, err)
	return h
}

// check is the answer of check, which always takes the same time.
func (m *image) check(t testing.TB) *inspect.CheckReport {
	t.Helper()
	r, err := inspect.Check(context.Background(), m.target(), inspect.CheckOptions{})
	require.NoError(t, err)
	r.Elapsed = 11 * time.Millisecond
	return r
}
