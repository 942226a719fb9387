package cases

import (
	"cmp"
	"context"
	"os"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// reach is how far from a block single bytes are damaged.
const reach = 16

// tally counts what became of one class of damage.
type tally struct{ tried, toldByProgram, foundByCheck, checked, blamed int }

// damageLab is a heap in whose memory single bytes are damaged, looked at and restored.
type damageLab struct {
	heap     *allocator.Heap
	self     target.Target
	last     *allocator.Violation
	tallies  map[string]*tally
	unheeded int // bytes in reach of no seal, pattern or poison
}

func newDamageLab(t *testing.T, mode allocator.Mode) *damageLab {
	lab := &damageLab{tallies: map[string]*tally{}}
	h, err := allocator.New(allocator.Options{
		Name: "generated " + mode.String(), Mode: mode, ReserveBytes: 1 << 30, QuarantineBytes: 128 << 10, OnViolation: func(v *allocator.Violation) { lab.last = v },
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	processors := runtime.GOMAXPROCS(1) // what another P has in its magazines is missing in its slab, and what it holds back is verified when it frees
	t.Cleanup(func() { runtime.GOMAXPROCS(processors) })
	lab.heap = h
	lab.self, err = target.Self(target.Options{Heap: h.Name()})
	require.NoError(t, err)
	t.Cleanup(func() { _ = lab.self.Close() })
	return lab
}

// TestDamageAroundEveryBlock damages every byte from 16 before to 16 behind blocks of every size up to 4096 and of spans, first,
// in the middle and last of their slab, aligned and not. Whatever lies in reach of a seal or the slack pattern must be
// told by the program and found by check, each blaming the right block.
func TestDamageAroundEveryBlock(t *testing.T) {
	lab := newDamageLab(t, allocator.ModeSealed)
	step := 13 // coprime to the steps of the classes
	if os.Getenv("GLASSHEAP_TEST_THOROUGH") != "" {
		step = 1
	}
	for n := 1; n <= 4096; n += step {
		blocks := lab.run(t, n)
		which := map[string]int{"first block of a slab": 0, "middle block": len(blocks) / 2, "last block of a slab": len(blocks) - 1}
		for where, i := range which {
			lab.around(t, where, blocks, i, n, n%97 == 0)
		}
		for _, b := range blocks {
			require.NoError(t, lab.heap.Free(b))
		}
	}
	for n := 17; n < 3000; n += 61 {
		b, err := lab.heap.AllocAligned(n, 64)
		require.NoError(t, err)
		// The user's address lies at most as far inside its block as was asked for more, to align in: then its seal ends here.
		const most = 64 - layout.ClassGrain
		end := int(classOf(n+most).Size) - most + layout.SealBytes
		for offset := n; offset < min(n+reach, end); offset++ {
			lab.damage(t, "aligned block", b, offset, start(b), n%5 == 0)
		}
		// Before an address inside its block lies its mark; before one that is aligned by chance, the block before.
		if r := lab.whatis(t, b); r.Block.Aligned > 0 {
			for offset := -layout.SealBytes; offset < 0; offset++ {
				lab.damage(t, "aligned block, before", b, offset, start(b), true)
			}
		}
		require.NoError(t, lab.heap.Free(b))
	}
	for _, n := range []int{33 << 10, 50_000, 256 << 10, 3 << 20} {
		b, err := lab.heap.Alloc(n)
		require.NoError(t, err)
		for offset := n; offset < n+reach && offset < (n+layout.SealBytes+layout.PageBytes-1)&^(layout.PageBytes-1); offset++ {
			lab.damage(t, "span", b, offset, start(b), true)
		}
		require.NoError(t, lab.heap.Free(b))
	}
	lab.complete(t)
	require.Zero(t, lab.heap.Stats().LiveBlocks)
}

// run allocates blocks of one size until one slab of them is full, frees the others, and returns those of that slab, in order.
func (lab *damageLab) run(t *testing.T, n int) [][]byte {
	class := classOf(n)
	var all [][]byte
	for range 3 * class.Capacity {
		b, err := lab.heap.Alloc(n)
		require.NoError(t, err)
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b []byte) int { return cmp.Compare(uintptr(start(a)), uintptr(start(b))) })
	capacity := int(class.Capacity)
	first := slices.IndexFunc(all, func(b []byte) bool { return uintptr(start(b))%layout.PageBytes == 0 })
	for ; first+capacity <= len(all); first++ {
		whole := unsafe.Add(start(all[first]), (capacity-1)*int(class.Stride)) == start(all[first+capacity-1])
		if whole && uintptr(start(all[first]))%layout.PageBytes == 0 {
			break
		}
	}
	require.LessOrEqual(t, first+capacity, len(all), "no slab of blocks of %d is full", n)
	for i, b := range all {
		if i < first || i >= first+capacity {
			require.NoError(t, lab.heap.Free(b))
		}
	}
	return all[first : first+capacity]
}

func classOf(n int) layout.Class {
	for _, c := range layout.Classes(layout.GeometryDefault, layout.SealBytes) {
		if int(c.Size) >= n {
			return c
		}
	}
	panic("no class")
}

// around damages every byte around one block of a slab, as far as a seal or the slack pattern reaches.
func (lab *damageLab) around(t *testing.T, where string, blocks [][]byte, i, n int, check bool) {
	class := classOf(n)
	slack := int(class.Size) - n
	for offset := n; offset < n+reach; offset++ {
		if offset >= int(class.Size)+layout.SealBytes {
			lab.unheeded++ // the data of the next block
			continue
		}
		lab.damage(t, where+", behind", blocks[i], offset, start(blocks[i]), check)
	}
	for offset := -reach; offset < 0; offset++ {
		switch {
		case i == 0:
			lab.unheeded++ // what lies before a slab is another's
		case -offset > layout.SealBytes+slack:
			lab.unheeded++ // the data of the block before
		default:
			// The byte belongs to the end of the block before, which check blames; the program is told of both.
			lab.damage(t, where+", before", blocks[i], offset, start(blocks[i-1]), check)
		}
	}
}

// damage changes one byte, has it looked for, and restores it.
func (lab *damageLab) damage(t *testing.T, class string, b []byte, offset int, blame unsafe.Pointer, check bool) {
	c := lab.tallies[class]
	if c == nil {
		c = &tally{}
		lab.tallies[class] = c
	}
	healthy := read(b, offset)
	write(b, offset, healthy^0x41)
	c.tried++
	lab.last = nil
	// UsableSize verifies what Free does, and changes nothing.
	told := offset >= 0 || -offset <= layout.SealBytes
	if _, err := lab.heap.UsableSize(start(b)); err != nil {
		kind := allocator.Overflow
		if offset < 0 {
			kind = allocator.Underflow
		}
		if lab.last.Kind == kind && holds(lab.last.Block, start(b)) {
			c.toldByProgram++
		} else {
			t.Logf("%d bytes, byte %d: %v", len(b), offset, err)
		}
	} else if !told {
		c.toldByProgram++ // Free of the block before tells
	}
	if check {
		c.checked++
		report, err := inspect.Check(context.Background(), lab.self, inspect.CheckOptions{})
		require.NoError(t, err)
		if len(report.Findings) == 1 {
			c.foundByCheck++
			if f := report.Findings[0]; f.Block != nil && holds(uint64(f.Block.Address), blame) {
				c.blamed++
			}
		}
	}
	write(b, offset, healthy)
}

// whatis is what a user's address is.
func (lab *damageLab) whatis(t *testing.T, b []byte) *inspect.WhatisReport {
	h, err := inspect.Open(context.Background(), lab.self)
	require.NoError(t, err)
	r, err := h.Whatis(uint64(uintptr(start(b))))
	require.NoError(t, err)
	require.NotNil(t, r.Block)
	return r
}

// holds reports whether the block at an address is the one in which the user's address lies: the same, or, for a block that
// was allocated aligned, less than its alignment above.
func holds(block uint64, user unsafe.Pointer) bool { return uint64(uintptr(user))-block < 64 }

// complete expects that nothing went unnoticed, and shows the rates.
func (lab *damageLab) complete(t *testing.T) {
	for class, c := range lab.tallies {
		t.Logf("%-32s %7d bytes damaged, %7d told by the program; %5d looked for by check, %5d found, %5d blamed on the right block", class, c.tried, c.toldByProgram, c.checked, c.foundByCheck, c.blamed)
		require.Equal(t, c.tried, c.toldByProgram, class)
		require.Equal(t, c.checked, c.foundByCheck, class)
		require.Equal(t, c.checked, c.blamed, class)
	}
	t.Logf("%d bytes belong to other blocks' data: out of reach", lab.unheeded)
	report, err := inspect.Check(context.Background(), lab.self, inspect.CheckOptions{})
	require.NoError(t, err)
	require.Empty(t, report.Findings)
}

// TestDamageOfEveryFreedByte changes single bytes of freed blocks of many sizes while they are held back.
func TestDamageOfEveryFreedByte(t *testing.T) {
	lab := newDamageLab(t, allocator.ModeAudit)
	c := &tally{}
	lab.tallies["freed block"] = c
	for n := 1; n <= 4096; n += n/8 + 1 {
		b, err := lab.heap.Alloc(n)
		require.NoError(t, err)
		require.NoError(t, lab.heap.Free(b))
		for offset := 0; offset < n; offset += n/16 + 1 {
			write(b, offset, layout.PoisonByte^0x10)
			c.tried++
			c.checked++
			report, err := inspect.Check(context.Background(), lab.self, inspect.CheckOptions{})
			require.NoError(t, err)
			if len(report.Findings) == 1 && report.Findings[0].Code == inspect.CodeWriteAfterFree {
				c.foundByCheck++
				if uint64(report.Findings[0].Block.Address) == uint64(uintptr(start(b))) {
					c.blamed++
				}
			}
			write(b, offset, layout.PoisonByte)
		}
		// On the way out of the quarantine, or when the block is handed out again, the program is told too.
		write(b, n/2, 1)
		lab.last = nil
		for i := 0; lab.last == nil && i < 1<<20; i++ {
			again, err := lab.heap.Alloc(n)
			require.NoError(t, err)
			require.NoError(t, lab.heap.Free(again))
		}
		require.NotNil(t, lab.last, "%d bytes", n)
		require.Equal(t, allocator.WriteAfterFree, lab.last.Kind)
		require.EqualValues(t, uintptr(start(b)), lab.last.Block)
	}
	c.toldByProgram = c.tried
	lab.complete(t)
}
