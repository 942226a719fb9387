package dlvscripts

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
)

// TestHalfDone has heaps as they lie there when their program stands still within an operation. Both sides excuse the same, and by
// no other lock than the one that guards it.
func TestHalfDone(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "shop")
	door, h := s.look("orders")
	id := h.Identity()
	at := func(name, field string) uint64 {
		dump, err := h.Dump(name)
		require.NoError(t, err)
		for _, v := range dump.Values {
			if v.Field == field {
				return uint64(dump.Address) + v.Offset
			}
		}
		require.Fail(t, "no field "+name+"."+field)
		return 0
	}
	// while does something while words of the process that is debugged are not what they were.
	while := func(words map[uint64]uint64, do func()) {
		held := map[uint64]uint64{}
		for address, word := range words {
			held[address] = wordAt(t, door, address)
			s.pokeWord(address, word)
		}
		do()
		for address, word := range held {
			s.pokeWord(address, word)
		}
	}
	bin := uint64(id.Bins) + 34*layout.BinBytes
	lock, pages := bin+offset(t, "Bin", "Lock"), id.Base+offset(t, "Header", "PagesLock")
	magazine := at("magazine 0.34", "Inflow")
	blocks, err := h.Blocks(0)
	require.NoError(t, err)
	seal := uint64(blocks.Blocks[2].Address) + uint64(blocks.Blocks[2].Size)
	require.Equal(t, inspect.PlaceLive, blocks.Blocks[2].Place)
	depot := wordAt(t, door, bin+offset(t, "Bin", "Depot"))
	behindDepot := wordAt(t, door, depot+offset(t, "Magazine", "Next"))
	tail := id.Data + uint64(blocks.Slab.Pages)*layout.PageBytes - 8
	for _, c := range []struct {
		name    string
		words   map[uint64]uint64
		excused []map[uint64]uint64
		certain []map[uint64]uint64
	}{
		{"a magazine is filled", map[uint64]uint64{magazine: wordAt(t, door, magazine) + 3},
			[]map[uint64]uint64{{lock: uint64(layout.HeldBy(0))}}, []map[uint64]uint64{{lock: uint64(layout.HeldBy(1))}, {pages: uint64(layout.HeldBy(0))}}},
		{"a magazine is between two lists", map[uint64]uint64{bin + offset(t, "Bin", "Depot"): behindDepot},
			[]map[uint64]uint64{{lock: uint64(layout.HeldBy(1))}}, nil},
		{"all magazines are", map[uint64]uint64{bin + offset(t, "Bin", "Depot"): 0, bin + offset(t, "Bin", "DepotEmpty"): 0},
			[]map[uint64]uint64{{lock: uint64(layout.HeldBy(1))}}, nil},
		{"an arena is mapped", map[uint64]uint64{at("arena 1", "Base"): 0},
			[]map[uint64]uint64{{pages: uint64(layout.HeldBy(0))}}, []map[uint64]uint64{{lock: uint64(layout.HeldBy(0))}}},
		{"no lock explains another base", map[uint64]uint64{at("arena 1", "Base"): 4096},
			nil, []map[uint64]uint64{{pages: uint64(layout.HeldBy(0))}}},
		{"no lock explains a slab that is cleared and on a list", map[uint64]uint64{at("slab 12", "Base"): 0},
			nil, []map[uint64]uint64{{pages: uint64(layout.HeldBy(0)), lock: uint64(layout.HeldBy(0))}}},
		{"a slab that is given back", map[uint64]uint64{at("slab 72", "Base"): 0},
			[]map[uint64]uint64{{pages: uint64(layout.HeldBy(0)), lock: uint64(layout.HeldBy(0))}}, []map[uint64]uint64{{pages: uint64(layout.HeldBy(0))}}},
		{"no lock explains a broken seal", map[uint64]uint64{seal: 7},
			nil, []map[uint64]uint64{{pages: uint64(layout.HeldBy(0))}, {uint64(id.Bins) + layout.BinBytes + offset(t, "Bin", "Lock"): uint64(layout.HeldBy(0))}}},
		{"a slab's tail is filled", map[uint64]uint64{tail: 0}, []map[uint64]uint64{{pages: uint64(layout.HeldBy(0))}}, nil},
	} {
		while(c.words, func() {
			s.sameFindings(door, c.name)
			certain := func() int { return len(s.AskJSON("gh_check")["findings"].([]any)) }
			require.NotZero(t, certain(), c.name)
			for _, locks := range c.excused {
				while(locks, func() {
					s.sameFindings(door, c.name+", under its lock")
					require.Zero(t, certain(), c.name)
				})
			}
			for _, locks := range c.certain {
				while(locks, func() {
					s.sameFindings(door, c.name+", under another lock")
					require.NotZero(t, certain(), c.name)
				})
			}
		})
	}
	require.Contains(t, s.Ask("gh_check"), "healthy.")
	checked, err := inspect.Check(context.Background(), door, inspect.CheckOptions{})
	require.NoError(t, err)
	require.Empty(t, checked.Findings)
}

// pokeWord writes a word of the process that is debugged.
func (s *session) pokeWord(address, word uint64) {
	for i, b := range binary.LittleEndian.AppendUint64(nil, word) {
		s.poke(address+uint64(i), b)
	}
}

// TestSlabTails: what lies behind the last block of a slab is looked at, and who wrote there is told, in words too.
func TestSlabTails(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "shop")
	door, h := s.look("orders")
	slabs, err := h.Slabs(-1)
	require.NoError(t, err)
	g := guardedScene{session: s, door: door, heap: h}
	seen := 0
	for i, row := range slabs.Slabs {
		dump, err := h.Dump(fmt.Sprintf("bin %d", row.Bin))
		require.NoError(t, err)
		stride := wordAt(t, door, uint64(dump.Address)+offset(t, "Bin", "Stride")) & 0xffff_ffff
		begins, ends := uint64(row.Base)+uint64(row.Capacity)*stride, uint64(row.Base)+uint64(row.Pages)*layout.PageBytes
		if begins == ends {
			continue
		}
		for what, at := range map[string]uint64{"its first byte": begins, "its last byte": ends - 1} {
			s.whileFlipped(door, at, func() {
				s.sameFindings(door, what, "lab")
				g.sameText()
			})
		}
		if i+1 < len(slabs.Slabs) && uint64(slabs.Slabs[i+1].Base) == ends {
			s.whileFlipped(door, ends-1, func() { s.sameFindings(door, "before a slab", "before the first block of a slab") })
			seen++
		}
	}
	require.NotZero(t, seen, "some slab with a tail has another behind it")
}
