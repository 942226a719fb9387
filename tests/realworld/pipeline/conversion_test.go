package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/arrow"
	"github.com/glassheap/glassheap/glassheaptest"
)

// everything is a query that takes a batch through all stages.
func everything(t *testing.T) parameters {
	p := newParameters()
	for _, set := range [][2]string{{"batch", "50"}, {"rowgroup", "300"}, {"sample", "10"}, {"compression", "zstd"}, {"origin", "from"},
		{"derive", "twice=id*2"}, {"derive", "half=id/2.5"}, {"where", "id>=20"}, {"where", "name!=none"}} {
		require.NoError(t, p.set(set[0], set[1]))
	}
	return p
}

// TestEveryLimit: wherever the memory ends, in a batch of many or in the only one, the conversion says so, and nothing stays. With
// enough of it there is a file.
func TestEveryLimit(t *testing.T) {
	t.Parallel()
	h := glassheaptest.New(t)
	csv := orders(1000)
	for _, batch := range []int{50, 1000} {
		refused, whole := 0, 0
		for limit := int64(4 << 10); whole < 3; limit += 4 << 10 {
			require.Less(t, limit, int64(8<<20))
			h.Scavenge()
			h.SetLimit(limit)
			p := everything(t)
			p.batch = batch
			c := newConversion(t.Context(), glassheaparrow.New(h), io.Discard, p)
			err := c.run(strings.NewReader(csv))
			require.Zero(t, h.Stats().LiveBlocks, "at a limit of %d", limit)
			if c.mem.err() == nil {
				require.NoError(t, err)
				whole++
				continue
			}
			refused++
			none, full := (*noMemory)(nil), (*allocator.LimitError)(nil)
			require.ErrorAs(t, err, &none, "at a limit of %d", limit)
			require.ErrorAs(t, err, &full)
		}
		t.Logf("%d limits were too low for batches of %d rows", refused, batch)
		require.Greater(t, refused, 5)
	}
}

// TestEveryEnd: wherever the input breaks off, or the output is no longer wanted, nothing stays.
func TestEveryEnd(t *testing.T) {
	t.Parallel()
	h := glassheaptest.New(t)
	mem := glassheaparrow.New(h)
	csv := orders(700)
	wrong := errors.New("it breaks off")
	var file bytes.Buffer
	_, err := convert(t.Context(), mem, strings.NewReader(csv), &file, everything(t))
	require.NoError(t, err)
	for n := 0; n < len(csv); n += len(csv)/40 + 1 {
		in := io.MultiReader(strings.NewReader(csv[:n]), iotest.ErrReader(wrong))
		_, err := convert(t.Context(), mem, in, io.Discard, everything(t))
		require.ErrorIs(t, err, wrong)
		require.ErrorIs(t, err, errGone)
		require.Zero(t, h.Stats().LiveBlocks, "behind %d bytes of input", n)
	}
	for n := 0; n < file.Len(); n += file.Len()/40 + 1 {
		_, err := convert(t.Context(), mem, strings.NewReader(csv), &short{left: n}, everything(t))
		require.ErrorIs(t, err, io.ErrShortWrite)
		require.Zero(t, h.Stats().LiveBlocks, "behind %d bytes of output", n)
	}
}

// short takes some bytes.
type short struct{ left int }

func (s *short) Write(b []byte) (int, error) {
	if s.left -= len(b); s.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(b), nil
}

// TestModels: what the load asks of a server, without one, on a heap that tells leaks and violations.
func TestModels(t *testing.T) {
	t.Parallel()
	h := glassheaptest.New(t)
	random := rand.New(rand.NewPCG(7, 7))
	for i := range 40 {
		m := newModel(random, 1500, i%4 == 3)
		p, err := parametersOf(m.query)
		require.NoError(t, err)
		var file bytes.Buffer
		_, err = convert(t.Context(), glassheaparrow.New(h), &m.csv, &file, p)
		if m.broken != "" {
			require.ErrorIs(t, err, errBadCSV)
			require.ErrorContains(t, err, m.broken)
		} else {
			require.NoError(t, err)
			require.NoError(t, m.compare(t.Context(), file.Bytes()))
		}
		require.Zero(t, h.Stats().LiveBlocks)
	}
}

// TestTheModelCompares: a value that is another one is found, in each column.
func TestTheModelCompares(t *testing.T) {
	t.Parallel()
	h := glassheaptest.New(t)
	m := newModel(rand.New(rand.NewPCG(1, 1)), 400, false)
	p, err := parametersOf(m.query)
	require.NoError(t, err)
	var file bytes.Buffer
	_, err = convert(t.Context(), glassheaparrow.New(h), &m.csv, &file, p)
	require.NoError(t, err)
	for i := range m.want {
		values := m.want[i].values
		last := len(values) - 1
		right := values[last]
		values[last] = "wrong"
		require.ErrorContains(t, m.compare(t.Context(), file.Bytes()), m.want[i].name)
		values[last] = right
		m.want[i].values = values[:last]
		require.ErrorContains(t, m.compare(t.Context(), file.Bytes()), fmt.Sprintf("not %d", last))
		m.want[i].values = values
	}
	require.NoError(t, m.compare(t.Context(), file.Bytes()))
}

// TestLentMemory: at the limit a block has the size and the bytes that it should, and goes where it came from.
func TestLentMemory(t *testing.T) {
	t.Parallel()
	h := glassheaptest.New(t)
	m := &requestMemory{heap: glassheaparrow.New(h)}
	small := m.Allocate(100)
	small[99] = 7
	require.NoError(t, m.err())
	h.SetLimit(64 << 10)
	grown := m.Reallocate(1<<20, small)
	require.Error(t, m.err())
	require.Len(t, grown, 1<<20)
	require.EqualValues(t, 7, grown[99])
	require.Zero(t, h.Stats().LiveBlocks, "the old block is given back")
	grown = m.Reallocate(2<<20, grown)
	require.EqualValues(t, 7, grown[99])
	m.Free(grown)
	other := m.Allocate(50) // there is room for that
	require.EqualValues(t, 1, h.Stats().LiveBlocks)
	m.Free(other)
	require.Panics(t, func() { m.Allocate(-1) })
}

// TestAViolationIsNoBadRequest: what somebody has recovered from and returns as an error ends the program nevertheless.
func TestAViolationIsNoBadRequest(t *testing.T) {
	t.Parallel()
	found := &allocator.Violation{Kind: allocator.Overflow}
	require.PanicsWithValue(t, found, func() {
		_, _ = convert(t.Context(), glassheaparrow.New(glassheaptest.New(t)), iotest.ErrReader(found), io.Discard, newParameters())
	})
}
