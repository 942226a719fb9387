package inspect_test

import (
	"context"
	"encoding/binary"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// moving is a heap that has another content when it stands still than when it was looked at running.
type moving struct {
	target.Target
	running, still []byte
	stops          int
}

func (m *moving) now() []byte {
	if m.stops > 0 {
		return m.still
	}
	return m.running
}

func (m *moving) ReadAt(buf []byte, offset int64) (int, error) {
	return target.FromBytes(m.now()).ReadAt(buf, offset)
}

func (m *moving) View(offset, bytes int64) []byte { return m.now()[offset:][:bytes] }

func (m *moving) Stop(context.Context) (target.Stopped, error) {
	m.stops++
	return m, nil
}

func (m *moving) Resume() error        { return nil }
func (m *moving) Stood() time.Duration { return time.Duration(m.stops) }

// TestASuspectIsAskedAlone: blocks that looked wrong are acquitted by what says where they are, and by nothing else; what
// still looks wrong is looked at with everything.
func TestASuspectIsAskedAlone(t *testing.T) {
	h := newHeap(t, allocator.Options{Mode: allocator.ModeSealed})
	make := func(size int) []byte {
		b, err := h.Alloc(size)
		require.NoError(t, err)
		return b
	}
	other, suspect, later := make(1000), make(100), make(100)
	more := [200][]byte{}
	round := func(between func()) {
		for i := range more {
			more[i] = make(100)
		}
		between()
		for _, b := range more {
			require.NoError(t, h.Free(b))
		}
		h.Scavenge()
	}
	round(func() {}) // so that no descriptor has to be made later
	var before []byte
	round(func() { // after which the suspect is on its slab's list, for more blocks were freed than a magazine holds
		before = image(t, h)
		require.NoError(t, h.Free(suspect))
	})
	require.NoError(t, h.Free(later))
	after := image(t, h)

	var header layout.Header
	copy(layout.Bytes(&header), after)
	data := uint64(header.Identity.Data) - header.Identity.Base
	// The metadata as they were before, and the blocks as they are: the suspect is sealed as free, and on no list.
	mixed := append(before[:data:data], after[data:]...)
	// A link that nothing points to, in a slab of which nothing was suspected.
	damaged := append([]byte(nil), after...)
	link := uint64(slabOf(t, after, other).Links) - header.Identity.Base
	binary.LittleEndian.PutUint16(damaged[link+2*7:], 3)

	// More slabs, whose descriptors are new.
	for size := 2000; size < 6000; size += 500 {
		make(size)
	}
	grown := image(t, h)

	check := func(running, still []byte, stops int) *inspect.CheckReport {
		t.Helper()
		m := &moving{Target: target.FromBytes(running), running: running, still: still}
		r, err := inspect.Check(t.Context(), m, inspect.CheckOptions{})
		require.NoError(t, err)
		require.Equal(t, stops, r.Stops)
		require.Equal(t, stops, m.stops)
		require.EqualValues(t, r.Stops, r.Stopped)
		return r
	}
	require.Empty(t, check(after, damaged, 0).Findings, "nothing was suspected")
	require.Empty(t, check(mixed, after, 1).Findings)
	require.Empty(t, check(mixed, grown, 1).Findings)
	require.Empty(t, check(mixed, damaged, 1).Findings, "what was right a moment ago is asked by the next check")
	damagedToo := append(damaged[:data:data], mixed[data:]...)
	copy(damagedToo, mixed[:data])
	copy(damagedToo[link:link+2*8], damaged[link:])
	require.NotEmpty(t, check(damagedToo, damaged, 1).Findings, "where a struct was wrong, everything is asked again")
	unseen := &moving{Target: target.FromBytes(mixed), running: mixed, still: after}
	r, err := inspect.Check(t.Context(), struct {
		target.Target
		target.Stopper
	}{unseen, unseen}, inspect.CheckOptions{})
	require.NoError(t, err)
	require.Empty(t, r.Findings, "the door shows nothing: all is copied")

	r = check(mixed, mixed, 2)
	require.NotEmpty(t, r.Findings)
	require.Equal(t, inspect.CodeLostBlock, r.Findings[0].Code)
	require.EqualValues(t, uintptr(unsafe.Pointer(&suspect[0])), r.Findings[0].Block.Address)
}

// slabOf finds the slab of a block in the image of its heap, by way of its page's entry.
func slabOf(t *testing.T, image, block []byte) (s layout.Slab) {
	t.Helper()
	var header layout.Header
	copy(layout.Bytes(&header), image)
	id := &header.Identity
	page := (uint64(uintptr(unsafe.Pointer(&block[0]))) - id.Data) / layout.PageBytes
	var entry layout.PageEntry
	copy(layout.Bytes(&entry), image[uint64(id.PageMap)-id.Base+page*layout.PageEntryBytes:])
	copy(layout.Bytes(&s), image[id.Descriptors-id.Base+entry.Descriptor():])
	require.EqualValues(t, layout.SlabActive, s.State)
	return s
}
