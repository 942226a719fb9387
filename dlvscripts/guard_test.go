package dlvscripts

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
	"github.com/glassheap/glassheap/inspect/target"
	"github.com/glassheap/glassheap/internal/debugging"
)

// guardedScene is a heap with guarded blocks: those of these slots are live, freed, and were never used.
type guardedScene struct {
	*session
	door              target.Target
	heap              *inspect.Heap
	pool              layout.GuardPool
	live, freed, none int
}

func startGuarded(t *testing.T) guardedScene {
	s := startHeaps(t, "guarded")
	door, h := s.look("guarded")
	g := guardedScene{session: s, door: door, heap: h, live: -1, freed: -1, none: layout.GuardSlots - 1}
	_, err := door.ReadAt(layout.Bytes(&g.pool), int64(uint64(h.Identity().Guards)-door.Base()))
	require.NoError(t, err)
	for i, slot := range g.pool.Slots {
		switch {
		case slot.State == layout.GuardLive && slot.Requested < 100:
			g.live = i
		case slot.State == layout.GuardFreed:
			g.freed = i
		}
	}
	require.GreaterOrEqual(t, g.live, 0)
	require.GreaterOrEqual(t, g.freed, 0)
	return g
}

// page is where the page of a slot lies.
func (g guardedScene) page(slot int) uint64 {
	return g.heap.Identity().GuardPages + layout.GuardPage(slot)
}

// slot is where a slot's struct lies.
func (g guardedScene) slot(t *testing.T, i int) uint64 {
	size, ok := layout.CurrentSchema().Struct("GuardSlot")
	require.True(t, ok)
	return uint64(g.heap.Identity().Guards) + offset(t, "GuardPool", "Slots") + uint64(i)*size.Bytes
}

// TestTheSameAnswersOfAGuardedHeap: lists, addresses of every kind, and bytes.
func TestTheSameAnswersOfAGuardedHeap(t *testing.T) {
	t.Parallel()
	g := startGuarded(t)
	checked, err := inspect.Check(context.Background(), g.door, inspect.CheckOptions{})
	require.NoError(t, err)
	require.Empty(t, checked.Findings, "the scene is a healthy heap")
	same(t, "gh_check", g.AskJSON("gh_check"), asMap(t, checked))
	structs, err := g.heap.Structs(context.Background(), inspect.StructsOptions{})
	require.NoError(t, err)
	same(t, "gh_structs", g.AskJSON("gh_structs"), asMap(t, withoutStacks(structs)))
	var text bytes.Buffer
	m, err := g.heap.Map(context.Background(), inspect.MapOptions{Bin: -1, Most: 24})
	require.NoError(t, err)
	require.NoError(t, render.Map(&text, standing(m).(*inspect.MapReport), render.Style{}))
	require.Equal(t, commandLine.ReplaceAllString(text.String(), ""), commandLine.ReplaceAllString(g.Ask("gh_map"), ""))

	id := g.heap.Identity()
	guards := uint64(id.Guards)
	addresses := []uint64{guards, guards + 17, guards + 60, g.slot(t, g.live) + 17, g.slot(t, g.live) + 30, g.slot(t, g.none), guards + layout.GuardPoolBytes}
	for _, i := range []int{g.live, g.freed, g.none, 0} {
		user, page := g.pool.Slots[i].Address, g.page(i)
		addresses = append(addresses, user, user+3, user+4095, user-1, page, page-1, page-4096, page+4095, page+4096, page+4096+4095)
	}
	addresses = append(addresses, id.GuardPages, id.GuardPages+layout.GuardPagesBytes-1, id.GuardPages+layout.GuardPagesBytes)
	spans := 0
	for _, j := range structs.Structs {
		var page uint64
		if _, err := fmt.Sscanf(j.Name, "Span %d", &page); err == nil {
			at := id.Data + page*layout.PageBytes
			addresses = append(addresses, at, at+layout.PageBytes-1, at+layout.PageBytes, at+13*layout.PageBytes, at+25*layout.PageBytes)
			spans++
		}
	}
	require.Equal(t, 2, spans, "one is live, one is held back")
	for n, address := range addresses {
		if !debugging.Share(n, 3) {
			continue
		}
		at := inspect.Address(address).String()
		expected, err := g.heap.Whatis(address)
		require.NoError(t, err)
		same(t, at, g.AskJSON("gh_whatis "+at), asMap(t, expected))
		if expected.Block == nil || expected.Block.Place != inspect.PlaceLive || expected.Kind == "guard" {
			continue // what is held back, or between, can't be read by Delve
		}
		length := int(min(64, layout.PageBytes-address%layout.PageBytes)) // the next page may be a guard page
		dump, err := g.heap.Hexdump(address, length)
		require.NoError(t, err)
		text.Reset()
		require.NoError(t, render.Hexdump(&text, dump, render.Style{}))
		require.Equal(t, text.String(), g.Ask(fmt.Sprintf("gh_hexdump %s %d", at, length)), at)
	}
}

// TestDamageInAGuardedHeap: each field of the pool and of its slots, and the bytes around guarded blocks. Both sides name the same.
func TestDamageInAGuardedHeap(t *testing.T) {
	t.Parallel()
	g := startGuarded(t)
	damaged := func(what string, address uint64, wanted string) {
		g.whileFlipped(g.door, address, func() { g.sameFindings(g.door, what, wanted) })
	}
	guards := uint64(g.heap.Identity().Guards)
	damaged("Ready", guards+1, "GuardPool")
	damaged("Live", guards+offset(t, "GuardPool", "Live"), "GuardPool")
	damaged("unused bytes", guards+40, "unused bytes")
	for _, i := range []int{g.live, g.freed, g.none} {
		for _, field := range []string{"Address", "Requested", "State", "Check"} {
			damaged(fmt.Sprintf("slot %d: %s", i, field), g.slot(t, i)+offset(t, "GuardSlot", field), fmt.Sprintf("GuardSlot %d", i))
		}
		if i != g.none {
			stack := "AllocStack"
			if i == g.freed {
				stack = "FreeStack"
			}
			damaged("its stack", g.slot(t, i)+offset(t, "GuardSlot", "Record")+offset(t, "Record", stack)+2, stack)
		}
	}
	slot := g.pool.Slots[g.live]
	lies := map[bool][]int64{true: {4095, int64(slot.Requested)}, false: {0, int64(slot.Address-g.page(g.live)) - 1}}[slot.Address == g.page(g.live)]
	for _, at := range lies {
		damaged("beside a guarded block", g.page(g.live)+uint64(at), "a live guarded block of 15")
		g.whileFlipped(g.door, g.page(g.live)+uint64(at), func() { g.sameText() })
	}
	r, err := g.heap.Structs(context.Background(), inspect.StructsOptions{Type: "Span"})
	require.NoError(t, err)
	for _, j := range r.Structs {
		for _, field := range []string{"Offset", "Guarded", "Requested"} {
			damaged(j.Name+"."+field, uint64(j.Address)+offset(t, "Span", field), "")
		}
		var page uint64
		_, err := fmt.Sscanf(j.Name, "Span %d", &page)
		require.NoError(t, err)
		base := g.heap.Identity().Data + page*layout.PageBytes
		is, err := g.heap.Whatis(base + layout.PageBytes)
		require.NoError(t, err)
		if is.Block.Place != inspect.PlaceLive {
			continue
		}
		user := uint64(is.Block.Address)
		for _, at := range []uint64{base, user - 1, user + 100_003} {
			damaged("beside a guarded span", at, "a live guarded span of 100003")
			g.whileFlipped(g.door, at, func() {
				g.sameText()
				dump, err := g.heap.Hexdump(at-16, 20)
				require.NoError(t, err)
				var text bytes.Buffer
				require.NoError(t, render.Hexdump(&text, dump, render.Style{}))
				require.Contains(t, text.String(), "^^")
				require.Equal(t, text.String(), g.Ask("gh_hexdump "+inspect.Address(at-16).String()+" 20"))
			})
		}
	}
	require.Contains(t, g.Ask("gh_check"), "healthy.")
}

// sameText asks both sides in words; stacks, which each side names by its own means, are left out.
func (g guardedScene) sameText() {
	checked, err := inspect.Check(context.Background(), g.door, inspect.CheckOptions{})
	require.NoError(g.T, err)
	for i := range checked.Findings {
		if b := checked.Findings[i].Block; b != nil {
			b.Allocated, b.Freed = nil, nil
		}
	}
	var text bytes.Buffer
	require.NoError(g.T, render.Check(&text, standing(checked).(*inspect.CheckReport), render.Style{}))
	require.Equal(g.T, words(text.String()), words(g.Ask("gh_check")))
}
