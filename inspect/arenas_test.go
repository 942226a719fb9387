package inspect_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// TestManyProcessorsDecodeAsOne: whoever decodes the arenas, one goroutine in turn or several ahead, and whatever is wrong with
// them, the answers are the same.
func TestManyProcessorsDecodeAsOne(t *testing.T) {
	h := newHeap(t, allocator.Options{Name: "arenas", ReserveBytes: 256 << 20})
	for _, n := range []int{50, 300, 3000, 20_000, 70_000} {
		for range 6 << 20 / n {
			_, err := h.Alloc(n)
			require.NoError(t, err)
		}
		_, err := h.Alloc(3 << 20) // huge spans lie between the arenas
		require.NoError(t, err)
	}
	memory := image(t, h)
	answers := func(processors int) []byte {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		door := target.FromBytes(memory)
		opened, err := inspect.Open(context.Background(), door)
		require.NoError(t, err)
		slabs, err := opened.Slabs(-1)
		require.NoError(t, err)
		structs, err := opened.Structs(context.Background(), inspect.StructsOptions{})
		require.NoError(t, err)
		checked, err := inspect.Check(context.Background(), door, inspect.CheckOptions{})
		require.NoError(t, err)
		checked.Elapsed = 0
		text, err := json.Marshal([]any{slabs, structs, checked})
		require.NoError(t, err)
		return text
	}
	same := func(what string, place int) {
		one, four := answers(1), answers(4)
		require.True(t, bytes.Equal(one, four), "%s at %#x: %s", what, place, firstDifference(one, four))
	}
	same("nothing is wrong", 0)
	var head layout.Header
	copy(layout.Bytes(&head), memory)
	id := head.Identity
	require.GreaterOrEqual(t, head.ArenasUsed, uint64(32), "enough for several goroutines")
	entries, descriptors := int(uint64(id.PageMap)-id.Base), int(id.Descriptors-id.Base)
	r := rand.New(rand.NewSource(7))
	damage := func(what string, place int) {
		bit := byte(1) << r.Intn(8)
		memory[place] ^= bit
		same(what, place)
		memory[place] ^= bit
	}
	for range 25 {
		damage("a page entry", entries+r.Intn(int(head.ArenasUsed)*layout.PagesPerArena*int(layout.PageEntryBytes)))
		damage("a descriptor", descriptors+r.Intn(int(head.DescriptorsTop-id.Descriptors)))
		damage("an arena", int(uint64(id.Arenas)-id.Base)+r.Intn(int(head.ArenasUsed)*16))
	}
	// A descriptor that says it begins elsewhere is believed of one run only: the first that names it.
	page := func(i int) *layout.PageEntry { return (*layout.PageEntry)(unsafe.Pointer(&memory[entries+8*i])) }
	var heads []int
	for i := range int(head.ArenasUsed) * layout.PagesPerArena {
		if e := page(i); e.Kind() == layout.PageSlab && e.Before() == 0 && (len(heads) == 0 || e.Bin() == page(heads[0]).Bin()) {
			heads = append(heads, i)
		}
	}
	require.Greater(t, len(heads), 200, "slabs of one bin, in several arenas")
	first, last := heads[0], heads[len(heads)-1]
	named := page(last).Descriptor()
	memory[descriptors+int(named)+2] ^= 0x10 // of its Base
	for i := first; i == first || page(i).Before() > 0; i++ {
		*page(i) = layout.MakePageEntry(layout.PageSlab, page(i).Bin(), i-first, named)
	}
	same("a descriptor that two arenas name", 0)
}

func firstDifference(a, b []byte) string {
	at := 0
	for at < min(len(a), len(b)) && a[at] == b[at] {
		at++
	}
	around := func(text []byte) []byte { return text[max(0, at-200):min(len(text), at+200)] }
	return fmt.Sprintf("one: …%s…\nfour: …%s…", around(a), around(b))
}
