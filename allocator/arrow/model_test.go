package glassheaparrow

import (
	"bytes"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"pgregory.net/rapid"

	"github.com/glassheap/glassheap/allocator"
)

// twin is a slice from glassheap and what GoAllocator gave for the same calls.
type twin struct{ ours, model []byte }

// giveBack takes from the model the capacity that ours has given back to the heap: GoAllocator never gives back any.
func (w *twin) giveBack() {
	if n := cap(w.ours); n < cap(w.model) {
		smaller := memory.NewGoAllocator().Allocate(n)
		copy(smaller, w.model[:n])
		w.model = smaller[:len(w.model)]
	}
}

// TestAsGoAllocator: whatever is called in whatever order, the contents and lengths are those of memory.GoAllocator.
func TestAsGoAllocator(t *testing.T) {
	size := rapid.OneOf(rapid.IntRange(0, 300), rapid.IntRange(0, 70_000), rapid.Just(1<<20))
	for _, mode := range []allocator.Mode{allocator.ModePlain, allocator.ModeSealed, allocator.ModeAudit} {
		rapid.Check(t, func(t *rapid.T) {
			h, err := allocator.New(allocator.Options{Mode: mode, ReserveBytes: 1 << 30})
			if err != nil {
				t.Fatal(err)
			}
			ours, model := New(h), memory.NewGoAllocator()
			var live []twin
			pick := func(t *rapid.T) int {
				if len(live) == 0 {
					live = append(live, twin{ours.Allocate(1), model.Allocate(1)})
				}
				return rapid.IntRange(0, len(live)-1).Draw(t, "which")
			}
			t.Repeat(map[string]func(*rapid.T){
				"allocate": func(t *rapid.T) {
					n := size.Draw(t, "size")
					live = append(live, twin{ours.Allocate(n), model.Allocate(n)})
				},
				"write": func(t *rapid.T) {
					w := &live[pick(t)]
					pattern := rapid.Byte().Draw(t, "pattern")
					for i := range w.ours {
						w.ours[i], w.model[i] = pattern+byte(i), pattern+byte(i)
					}
				},
				"reslice": func(t *rapid.T) {
					w := &live[pick(t)]
					n := rapid.IntRange(0, len(w.ours)).Draw(t, "length")
					w.ours, w.model = w.ours[:n], w.model[:n]
				},
				"reallocate": func(t *rapid.T) {
					w := &live[pick(t)]
					n := size.Draw(t, "size")
					w.ours, w.model = ours.Reallocate(n, w.ours), model.Reallocate(n, w.model)
					w.giveBack()
				},
				"free": func(t *rapid.T) {
					i := pick(t)
					ours.Free(live[i].ours)
					live = append(live[:i], live[i+1:]...)
				},
				"": func(t *rapid.T) {
					for i, w := range live {
						if len(w.ours) != len(w.model) {
							t.Fatalf("%d: %d bytes, with GoAllocator %d", i, len(w.ours), len(w.model))
						}
						if addressOf(w.ours)%64 != 0 && cap(w.ours) > 0 {
							t.Fatalf("%d: at %#x", i, addressOf(w.ours))
						}
						if !bytes.Equal(w.ours, w.model) {
							t.Fatalf("%d: %x, with GoAllocator %x", i, w.ours, w.model)
						}
					}
				},
			})
			for _, w := range live {
				ours.Free(w.ours)
			}
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
