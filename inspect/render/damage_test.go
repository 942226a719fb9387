package render_test

import (
	"encoding/binary"
	"strconv"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
)

// past is the byte behind the end of b, where Go's bounds checks do not reach.
func past(b []byte) *byte { return (*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), len(b))) }

// write writes bytes at an address, and takes them back when the test ends.
func (m *image) write(t testing.TB, address inspect.Address, bytes ...byte) {
	t.Helper()
	at := m.bytes[uint64(address)-heapBase:][:len(bytes)]
	before := append([]byte(nil), at...)
	t.Cleanup(func() { copy(at, before) })
	copy(at, bytes)
	require.NotEqual(t, before, at, "nothing was damaged")
}

// flip flips the lowest bit of bytes at an address.
func (m *image) flip(t testing.TB, address inspect.Address, bytes int) {
	t.Helper()
	damaged := append([]byte(nil), m.bytes[uint64(address)-heapBase:][:bytes]...)
	for i := range damaged {
		damaged[i] ^= 1
	}
	m.write(t, address, damaged...)
}

// set gives a field of a struct, as dump knows both, another value.
func (m *image) set(t testing.TB, name, field string, value uint64) {
	t.Helper()
	r, err := m.open(t).Dump(name)
	require.NoError(t, err)
	for _, v := range r.Values {
		if v.Field == field {
			bytes := binary.LittleEndian.AppendUint64(nil, value)
			m.write(t, r.Address+inspect.Address(v.Offset), bytes[:v.Bytes]...)
			return
		}
	}
	require.Failf(t, "no such field", "%s.%s", name, field)
}

// number is the value of a field.
func (m *image) number(t testing.TB, name, field string) uint64 {
	t.Helper()
	r, err := m.open(t).Dump(name)
	require.NoError(t, err)
	for _, v := range r.Values {
		if v.Field == field {
			n, err := strconv.ParseUint(v.Value, 0, 64)
			require.NoError(t, err)
			return n
		}
	}
	require.Failf(t, "no such field", "%s.%s", name, field)
	return 0
}

// block is the nth block in a place for which size bytes were asked; -1 when that is not known of it.
func (m *image) block(t testing.TB, place inspect.Place, requested, n int) *inspect.Block {
	t.Helper()
	h := m.open(t)
	slabs, err := h.Slabs(-1)
	require.NoError(t, err)
	for _, s := range slabs.Slabs {
		blocks, err := h.Blocks(uint64(s.Base))
		require.NoError(t, err)
		for _, b := range blocks.Blocks {
			if b.Place == place && b.Requested == requested {
				if n == 0 {
					return b
				}
				n--
			}
		}
	}
	require.Failf(t, "no such block", "%s, %d bytes", place, requested)
	return nil
}

// slab is the first slab that fits.
func (m *image) slab(t testing.TB, what string, fits func(inspect.SlabRow) bool) inspect.SlabRow {
	t.Helper()
	slabs, err := m.open(t).Slabs(-1)
	require.NoError(t, err)
	for _, s := range slabs.Slabs {
		if fits(s) {
			return s
		}
	}
	require.Fail(t, "no such slab", what)
	return inspect.SlabRow{}
}

// span is the nth live span.
func (m *image) span(t testing.TB, n int) *inspect.Block {
	t.Helper()
	spans := spansOf(m.open(t))
	require.Greater(t, len(spans), n)
	return spans[n]
}

// aligned is the block that AllocAligned gave out.
func (m *image) aligned(t testing.TB) *inspect.Block {
	t.Helper()
	h := m.open(t)
	slabs, err := h.Slabs(-1)
	require.NoError(t, err)
	for _, s := range slabs.Slabs {
		blocks, err := h.Blocks(uint64(s.Base))
		require.NoError(t, err)
		for _, b := range blocks.Blocks {
			if b.Aligned > 0 {
				return b
			}
		}
	}
	require.Fail(t, "no aligned block")
	return nil
}
